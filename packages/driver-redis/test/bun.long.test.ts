import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { Result } from "@sessions/conformance";
import { withService } from "@sessions/driver-tests";
import { startRedisServer } from "@sessions/test-services/redis";
import { describe, expect, test } from "vitest";
import { type BunRedisLike, redisDriver } from "../src/index.ts";

/** Runs the kit in Bun. The environment has nothing of this runner. */
async function runInBun(
  url: string,
  ownUrl: string,
): Promise<{ results: Result[]; late: unknown[]; versions: unknown[] }> {
  const bun = fileURLToPath(new URL("../node_modules/.bin/bun", import.meta.url));
  const program = fileURLToPath(new URL("bun/kit.ts", import.meta.url));
  const { PATH, HOME } = process.env;
  const child = spawn(bun, ["--conditions=@sessions/source", program], {
    env: { PATH, HOME, SESSIONS_TEST_REDIS_URL: url, SESSIONS_TEST_OWN_REDIS_URL: ownUrl },
  });
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  const line = output.split("\n").findLast((it) => it.startsWith("{"));
  if (line === undefined) throw new Error(`Bun printed no results: ${output}${errors}`);
  return JSON.parse(line);
}

await withService("redis", async (redis) => {
  const own = await startRedisServer();
  const { results, late, versions } = await runInBun(redis.url, `redis://${own.host}:${own.port}`).finally(
    () => own.stop("SIGKILL"),
  );

  describe("redis: Bun's RedisClient", () => {
    for (const { rule, title, status, error } of results)
      test.skipIf(status === "skipped")(`${rule} ${title}`, () => {
        if (status === "failed") throw new Error(`In Bun: ${String(error)}`);
      });
  });

  test("a commit that timed out is not sent later by the client, nor its script in full by the driver", () => {
    expect(late).toEqual(Array(4).fill("ERR_SESSION_UNAVAILABLE"));
    expect(versions).toEqual([1, 1]);
  });

  test("waitReplicas is refused", () => {
    const client: BunRedisLike = {
      connected: true,
      bufferedAmount: 0,
      connect: async () => {},
      send: async () => null,
    };
    expect(() => redisDriver({ client, waitReplicas: 1 })).toThrow(/waitReplicas must be 0 with this client/);
  });
});
