import { type Driver, isSessionError } from "@sessions/core";
import { withService } from "@sessions/driver-tests";
import { newId } from "@sessions/driver-tests/records";
import { startRedisCluster, startRedisReplication } from "@sessions/test-services/redis-cluster";
import { createCluster, createSentinel } from "redis";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { redisDriver } from "../src/index.ts";

const HOUR = 3_600_000;
const SESSIONS = 24;
/** The number of acknowledged commits that each session must see after the loss of the master. */
const AFTER = 20;

interface Story {
  readonly id: string;
  /** Numbers whose commit was acknowledged. */
  readonly acknowledged: number[];
  /** How many of them came after the loss of the master. */
  after: number;
  errors: number;
}

/**
 * One writer for each session, whose every commit is a compare-and-set with a field of its own. A missing field of an
 * acknowledged commit was lost; a conflict shows a commit that was sent twice.
 */
async function writeUntil(driver: Driver, story: Story, killed: () => boolean): Promise<void> {
  const now = Date.now();
  let version = 1;
  for (let n = 0; story.after < AFTER; n++) {
    const change = { fields: new Map([[`n/${n}`, String(n)]]), ifVersion: version };
    const wasKilled = killed();
    try {
      const outcome = await driver.commit(story.id, change, now);
      expect(outcome, `commit ${n} of ${story.id}, version ${version}`).toBe("committed");
      version++;
      story.acknowledged.push(n);
      if (wasKilled) story.after++;
    } catch (error) {
      if (!isSessionError(error, "ERR_SESSION_UNAVAILABLE")) throw error;
      story.errors++;
      // The commit may have been made or not, so ask for the version until a server replies.
      const record = await vi.waitFor(() => driver.load(story.id), { timeout: 30_000 });
      version = record?.version ?? 0;
    }
  }
}

async function loseNothing(driver: Driver, kill: () => Promise<void>): Promise<void> {
  const now = Date.now();
  const stories: Story[] = Array.from({ length: SESSIONS }, () => ({
    ...{ id: newId(), acknowledged: [], after: 0, errors: 0 },
  }));
  const ended = Array.from({ length: SESSIONS }, newId);
  for (const id of [...stories.map((story) => story.id), ...ended])
    expect(await driver.create(id, { expiresAt: now + HOUR, fields: new Map() }, now)).toBe(true);
  for (const id of ended) expect(await driver.destroy(id, now)).toBe(true);

  let killed = false;
  const writing = Promise.all(stories.map((story) => writeUntil(driver, story, () => killed)));
  // Once every session has been written under load.
  await expect
    .poll(() => stories.every(({ acknowledged }) => acknowledged.length > 10), { timeout: 30_000 })
    .toBe(true);
  await kill();
  killed = true;
  await writing;

  let count = 0;
  for (const { id, acknowledged } of stories) {
    const record = await driver.load(id);
    for (const n of acknowledged) expect(record?.fields.get(`n/${n}`), `${id}: ${n}`).toBe(String(n));
    count += acknowledged.length;
  }
  for (const id of ended) expect(await driver.load(id)).toBeUndefined();
  const errors = stories.reduce((sum, story) => sum + story.errors, 0);
  console.log(`${count} commits acknowledged, 0 lost; ${errors} were DriverUnavailableError`);
  // Otherwise the test interrupted nothing, and shows nothing.
  expect(errors).toBeGreaterThan(0);
}

await withService("redis", () => {
  describe("with waitReplicas, the end of the master under load loses nothing that was acknowledged", () => {
    test("in a cluster", async () => {
      const cluster = await startRedisCluster();
      onTestFinished(cluster.stop);
      const client = createCluster({
        rootNodes: cluster.servers.map(({ host, port }) => ({ url: `redis://${host}:${port}` })),
        defaults: { socket: { reconnectStrategy: 50 } },
      });
      client.on("error", () => {});
      await client.connect();
      onTestFinished(() => client.destroy());
      const driver = redisDriver({ client, timeout: 1000, waitReplicas: 1 });
      await loseNothing(driver, cluster.killMaster);
    });

    test("behind Sentinel", async () => {
      const replication = await startRedisReplication();
      onTestFinished(replication.stop);
      const client = createSentinel({
        name: replication.name,
        sentinelRootNodes: replication.sentinels.map(({ host, port }) => ({ host, port })),
        nodeClientOptions: { socket: { reconnectStrategy: 50 } },
      });
      client.on("error", () => {});
      await client.connect();
      onTestFinished(() => client.destroy());
      const driver = redisDriver({ client, timeout: 1000, waitReplicas: 1 });
      await loseNothing(driver, async () => {
        await replication.master.stop("SIGKILL");
        await replication.addReplica();
      });
    });
  });
});
