import { performance } from "node:perf_hooks";
import type { Duration, ListedRecord, ListingDriver, ProvisionedDriver, StoredRecord } from "@sessions/core";
import {
  checkClient,
  checkOption,
  checkOptions,
  isWhole,
  raisesVersion,
  readTimeout,
} from "@sessions/core/driver-tools";
import { createCalls } from "./calls.ts";
import { type AnyRedisClientLike, executorOf, FORMS, MUST, ROWS } from "./executors/executor-of.ts";
import { keysOf } from "./keys.ts";
import { createPrincipalSets } from "./principals.ts";
import { createProvisioning } from "./provisioning.ts";
import { scanPage } from "./scan.ts";
import { COMMIT, CREATE, DESTROY, parseRecord, type Script, stepOf } from "./scripts.ts";

/** Options of `redisDriver`. */
export interface RedisDriverOptions {
  /**
   * Your client, which you connect and close: of `redis`, `ioredis`, `iovalkey`, `@valkey/valkey-glide` or
   * `@upstash/redis`, Bun's `RedisClient`, or an executor that you write for another client (`docs/clients.md`).
   */
  readonly client: AnyRedisClientLike;
  /**
   * The text that begins every key, 1 to 100 characters: give each application on a Redis its own. The client's
   * `keyPrefix` is not used.
   * @default "sessions:"
   */
  readonly prefix?: string | undefined;
  /**
   * The time that a call may take before it rejects with `DriverUnavailableError`.
   * More than 24 days counts as 24.
   * @default "2s"
   */
  readonly timeout?: Duration | undefined;
  /**
   * The number of replicas that must have a write before it is acknowledged (`WAIT`), so that the write survives the
   * loss of the master. 0 or more. A write then also takes the replicas' round trip, and later commands on the same
   * connection wait for it; where too few replicas acknowledge, it rejects with `DriverUnavailableError`. With
   * Sentinel, the driver keeps the client's only connection to the master: give the driver a client of its own.
   * @default 0
   */
  readonly waitReplicas?: number | undefined;
}

/** Redis keeps an expired record for another hour, so that late requests learn how it ended (R2). */
const LEFTOVER_MS = 3_600_000;

/**
 * Keeps sessions in Redis or Valkey: a hash for each session, and a sorted set for each principal. Redis itself removes
 * expired records, an hour after their expiry.
 *
 * @throws SessionConfigError naming an option that is unknown or out of range.
 * @example
 * import { createSessionManager } from "@sessions/core";
 * import { redisDriver } from "@sessions/driver-redis";
 * import { createClient } from "redis";
 *
 * const client = createClient({ url: "redis://localhost:6379" });
 * client.on("error", console.error);
 * await client.connect();
 * const sessions = createSessionManager({ driver: redisDriver({ client }) });
 */
export function redisDriver(options: RedisDriverOptions): ListingDriver & ProvisionedDriver {
  checkOptions("redisDriver", options, ["client", "prefix", "timeout", "waitReplicas"]);
  const { client, prefix = "sessions:", timeout: limit = "2s", waitReplicas = 0 } = options;
  checkClient(client, MUST, FORMS, ROWS);
  checkOption(
    typeof prefix === "string" && prefix.isWellFormed() && prefix.length >= 1 && prefix.length <= 100,
    "prefix",
    "text of 1 to 100 characters",
    prefix,
  );
  checkOption(isWhole(waitReplicas, 0), "waitReplicas", "a whole number of 0 or more", waitReplicas);
  const timeout = readTimeout(limit);

  const executor = executorOf(client, timeout, waitReplicas > 0);
  checkOption(
    waitReplicas === 0 || executor.pair !== undefined,
    "waitReplicas",
    "0 with this client, which cannot send two commands on one connection",
    waitReplicas,
  );
  const calls = createCalls(executor, { timeout, waitReplicas });
  const { within, send, run } = calls;
  const keys = keysOf(prefix);

  async function load(id: string): Promise<StoredRecord | undefined> {
    const key = keys.record(id);
    return parseRecord(await send(key, ["HGETALL", key]));
  }

  const backend = { ...calls, executor, keys, timeout, load };
  const sets = createPrincipalSets(backend);

  /**
   * Writes a record, after its principal's set; `end` is the end of both. `left` is the time until the record expires,
   * in milliseconds.
   */
  async function write(
    script: Script,
    id: string,
    args: string[],
    { principal, left, end }: { principal: string | null | undefined; left: number; end: number },
  ) {
    const record = keys.record(id);
    if (typeof principal !== "string") return run(script, record, args, end);
    const mayBeDead = await sets.add(principal, id, left, end);
    const [reply] = await Promise.all([
      run(script, record, args, end),
      sets.prune(principal, mayBeDead, end),
    ]);
    return reply;
  }

  const keptFor = (expiresAt: number, now: number): string => `${Math.max(expiresAt - now, 0) + LEFTOVER_MS}`;

  return {
    name: "redis",

    async create(id, { expiresAt, principal, fields }, now) {
      const args = [
        `${now}`,
        `${expiresAt}`,
        keptFor(expiresAt, now),
        principal ?? "",
        ...[...fields].flat(),
      ];
      const end = performance.now() + timeout;
      const reply = await write(CREATE, id, args, { principal, left: expiresAt - now, end });
      return Number(reply) === 1;
    },

    load,

    async commit(id, change, now) {
      const { fields, expiresAt, principal, ifVersion } = change;
      const written: string[] = [];
      const deleted: string[] = [];
      for (const [name, text] of fields) {
        if (text === null) deleted.push(name);
        else written.push(name, text);
      }
      const args = [
        `${now}`,
        ifVersion === undefined ? "" : `${ifVersion}`,
        expiresAt === undefined ? "" : `${expiresAt}`,
        expiresAt === undefined ? "" : keptFor(expiresAt, now),
        principal === undefined ? "" : principal === null ? "-" : `=${principal}`,
        raisesVersion(change) ? "1" : "0",
        expiresAt === undefined ? "" : `${stepOf(expiresAt - now)}`,
        `${written.length}`,
      ];
      const end = performance.now() + timeout;
      // Without a new expiry, the time that the set must live is known to the script alone, which returns it.
      const left = (expiresAt ?? now) - now;
      const reply = await write(COMMIT, id, [...args, ...written, ...deleted], { principal, left, end });
      if (Array.isArray(reply)) {
        await sets.add(String(reply[0]), id, Number(reply[1]) - now, end);
        return "committed";
      }
      return Number(reply) === 1 ? "committed" : Number(reply) === 2 ? "conflict" : "gone";
    },

    destroy: async (id, now) => Number(await run(DESTROY, keys.record(id), [`${now}`])) === 1,

    async sweep() {
      await sets.heal();
      return 0; // Redis removes the records itself.
    },

    async list({ principal, cursor, limit }, now) {
      if (principal !== undefined) {
        const { records, ...page } = await sets.list(principal, cursor, limit);
        return { records: records.filter(({ expiresAt }) => expiresAt > now), ...page };
      }
      const page = await within((time) => scanPage(executor, time, keys.pattern, limit, cursor));
      const records = page.keys.map(async (key): Promise<ListedRecord[]> => {
        const id = keys.idOf(key);
        const record = id === undefined ? undefined : await load(id);
        return id !== undefined && record ? [{ id, ...record }] : [];
      });
      return { records: (await Promise.all(records)).flat(), cursor: page.cursor };
    },

    ...createProvisioning(backend),
  };
}
