import { expectLasting, runPage, withService } from "@sessions/driver-tests";
import { startUpstashFront } from "@sessions/test-services/upstash-front";
import { Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { describe, expect, onTestFinished, test } from "vitest";

await withService("redis", async ({ url }) => {
  describe("what the pages of docs/clients say works", () => {
    test("node-redis", async () => {
      const { client } = await runPage("node-redis", import.meta.url, { REDIS_URL: url });
      onTestFinished(() => Object(client).destroy());
    });

    test("Upstash", async () => {
      const behind = await createClient({ url, RESP: 2 }).connect();
      onTestFinished(() => behind.destroy());
      const front = await startUpstashFront((command) => behind.sendCommand(command));
      onTestFinished(front.close);
      await runPage("upstash", import.meta.url, {
        UPSTASH_REDIS_REST_URL: front.url,
        UPSTASH_REDIS_REST_TOKEN: front.token,
      });
    });

    test("ioredis and BullMQ: jobs are done and sessions last on one connection", async () => {
      const { client, queue, sessions } = await runPage("ioredis-and-bullmq", import.meta.url, {
        REDIS_URL: url,
      });
      if (!(client instanceof Redis && queue instanceof Queue)) throw new Error("the page exports others");
      onTestFinished(() => client.disconnect());
      const done = new Set<unknown>();
      const worker = new Worker(queue.name, async ({ data }) => void done.add(data), { connection: client });
      onTestFinished(async () => {
        await worker.close();
        await queue.obliterate({ force: true });
        await queue.close();
      });
      const jobs = Array.from({ length: 50 }, (_, i) => i);
      for (const job of jobs) {
        await queue.add("mail", job);
        await expectLasting(sessions);
      }
      await expect.poll(() => done.size, { timeout: 10_000 }).toBe(jobs.length);
      // While the worker waits for more jobs, sessions go on.
      await expectLasting(sessions);
    });
  });
});
