import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

/** A checkout of github.com/expressjs/session, with its dependencies installed and its certificate made. */
const checkout = process.env["SESSIONS_EXPRESS_SESSION_SUITE"] ?? "";
const built = fileURLToPath(new URL("../../dist/index.js", import.meta.url));
const hook = fileURLToPath(new URL("suite-hook.cjs", import.meta.url));

if (checkout === "")
  console.warn(
    "The suite of express-session is not run: SESSIONS_EXPRESS_SESSION_SUITE names no checkout of it",
  );

/** They demand a 200 although the session, or its cookie, could not be stored. */
const CONTRADICT = [
  "should pass session touch error",
  "should pass session save error",
  "should pass session destroy error",
  "should forward errors setting cookie",
];

test.skipIf(checkout === "")(
  "the suite of express-session passes, but for what contradicts a promise",
  async () => {
    expect(existsSync(built), "pnpm build comes first").toBe(true);
    const mocha = join(checkout, "node_modules/mocha/bin/mocha.js");
    const args = [
      "--require",
      hook,
      "--require",
      "test/support/env",
      "--check-leaks",
      "--exit",
      "--reporter",
      "json",
    ];
    const output = await new Promise<string>((resolve) =>
      execFile(process.execPath, [mocha, ...args, "test/"], { cwd: checkout }, (_, stdout) =>
        resolve(stdout),
      ),
    );
    const { stats, failures } = JSON.parse(output.slice(output.indexOf("{\n")));
    expect(failures.map(({ title }: { title: string }) => title)).toEqual(CONTRADICT);
    expect(stats.passes).toBeGreaterThanOrEqual(156);
  },
);
