import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { Result } from "@sessions/conformance";
import { withService } from "@sessions/driver-tests";
import { describe, expect, test } from "vitest";

/** What `bun/kit.ts` prints. */
interface Printed {
  results: Result[];
  late: unknown[];
  version?: number;
  refused: Record<string, string>;
}

/** Runs the kit in Bun. The environment has nothing of this runner. */
async function runInBun(url: string): Promise<Printed> {
  const bun = fileURLToPath(new URL("../node_modules/.bin/bun", import.meta.url));
  const program = fileURLToPath(new URL("bun/kit.ts", import.meta.url));
  const { PATH, HOME } = process.env;
  const child = spawn(bun, ["--conditions=@sessions/source", program], {
    env: { PATH, HOME, SESSIONS_TEST_MYSQL_URL: url },
  });
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  const line = output.split("\n").findLast((it) => it.startsWith("{"));
  if (line === undefined) throw new Error(`Bun printed no results: ${output}${errors}`);
  return JSON.parse(line);
}

await withService("mysql", async (service) => {
  const { results, late, version, refused } = await runInBun(service.url);

  describe("mysql: Bun's SQL", () => {
    for (const { rule, title, status, error } of results)
      test.skipIf(status === "skipped")(`${rule} ${title}`, () => {
        if (status === "failed") throw new Error(`In Bun: ${String(error)}`);
      });
  });

  test("a commit that timed out is not sent later by the client", () => {
    expect(late).toEqual(Array(3).fill("ERR_SESSION_UNAVAILABLE"));
    expect(version).toBe(1);
  });

  test("autocommit off, a reserved connection, a transaction, and another database are refused", () => {
    expect(refused).toEqual({
      "autocommit off": expect.stringMatching(/ERR_SESSION_CONFIG .*autocommit on/),
      "a reserved connection": expect.stringMatching(/ERR_SESSION_CONFIG client must be a pool/),
      "a transaction": expect.stringMatching(/ERR_SESSION_CONFIG client must be a pool/),
      PostgreSQL: expect.stringMatching(
        /ERR_SESSION_CONFIG client must be one for MySQL .* SQL databases for postgres/,
      ),
    });
  });
});
