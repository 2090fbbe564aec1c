import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { Result } from "@sessions/conformance";
import { withService } from "@sessions/driver-tests";
import { describe, expect, test } from "vitest";

interface Said {
  readonly results: readonly Result[];
  readonly refused: readonly string[];
  readonly late: readonly unknown[];
  readonly waiting: unknown;
  readonly silent: readonly unknown[];
  readonly unhandled: readonly string[];
  readonly versions: readonly unknown[];
  readonly problems: readonly string[];
  readonly server: unknown;
  readonly inside: unknown;
  readonly outside: unknown;
  readonly stored: unknown;
  readonly shown: readonly string[];
}

/** Runs the kit in Bun. The environment has nothing of this runner. */
async function runInBun(url: string): Promise<Said> {
  const bun = fileURLToPath(new URL("../node_modules/.bin/bun", import.meta.url));
  const program = fileURLToPath(new URL("bun/kit.ts", import.meta.url));
  const { PATH, HOME } = process.env;
  const child = spawn(bun, ["--conditions=@sessions/source", program], {
    env: { PATH, HOME, SESSIONS_TEST_POSTGRES_URL: url },
  });
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  const line = output.split("\n").findLast((it) => it.startsWith("{"));
  if (line === undefined) throw new Error(`Bun printed no results: ${output}${errors}`);
  return JSON.parse(line);
}

await withService("postgres", async (postgres) => {
  const said = await runInBun(postgres.url);

  describe("postgres: Bun's SQL", () => {
    for (const { rule, title, status, error } of said.results)
      test.skipIf(status === "skipped")(`${rule} ${title}`, () => {
        if (status === "failed") throw new Error(`In Bun: ${String(error)}`);
      });
  });

  test("a commit that timed out is not sent later by the client", () => {
    expect(said.late).toEqual(Array(3).fill("ERR_SESSION_UNAVAILABLE"));
    expect(said.waiting).toBe("ERR_SESSION_UNAVAILABLE");
    expect(said.versions).toEqual([1, 1, 1]);
    expect(said.silent).toEqual(["ERR_SESSION_UNAVAILABLE"]);
    expect(said.unhandled).toEqual([]);
  });

  test("a transaction, a reserved connection and another database are refused", () => {
    expect(said.refused).toEqual([
      expect.stringMatching(/got a pipeline or a transaction/),
      expect.stringMatching(/got Bun's client of SQL databases for sqlite/),
      expect.stringMatching(/got a pipeline or a transaction/),
    ]);
  });

  test("errors of the server keep the state and the names", () => {
    expect(said.server).toEqual({ code: "23514", severity: "ERROR", constraint: "no_x" });
    expect(said.problems).toEqual([]);
  });

  test("what an open transaction on the only connection would roll back is not acknowledged", () => {
    expect(said.inside).toMatch(/ran in an open transaction of the application/);
    expect([said.outside, said.stored]).toEqual(["committed", "1"]);
  });

  test("no error shows the row, whatever a trigger or the server writes", () => {
    // The second statement adds the trigger, and the fourth the CHECK.
    expect(said.shown[1]).toContain("42501");
    expect(said.shown[3]).toContain("42P01");
    for (const text of said.shown) expect(text).not.toContain("secret");
  });
});
