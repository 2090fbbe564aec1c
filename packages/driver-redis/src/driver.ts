import { setMaxListeners } from "node:events";
import { performance } from "node:perf_hooks";
import {
  DriverUnavailableError,
  type Duration,
  type ListedRecord,
  type ListingDriver,
  type ProvisionedDriver,
  type StoredRecord,
} from "@sessions/core";
import {
  checkClient,
  checkOption,
  checkOptions,
  createCall,
  isWhole,
  milliseconds,
  raisesVersion,
} from "@sessions/core/driver-tools";
import type { AnyRedisClientLike } from "./client.ts";
import { connectionOf, type Limits } from "./connection.ts";
import { createIndexes, type RunScript, type Within } from "./indexes.ts";
import { keysOf } from "./keys.ts";
import { createProvisioning } from "./provisioning.ts";
import { parseRecord } from "./record.ts";
import { scanPage } from "./scan.ts";
import { COMMIT, CREATE, DESTROY, type Script, stepOf } from "./scripts.ts";

/** Options of `redisDriver`. */
export interface RedisDriverOptions {
  /** A client of the package `redis`, connected by you and closed by you: single, pool, cluster or Sentinel. */
  readonly client: AnyRedisClientLike;
  /**
   * What every key begins with: two applications on one Redis have two of them. 1 to 100 characters. The client's own
   * `keyPrefix` is not used.
   * @default "sessions:"
   */
  readonly prefix?: string | undefined;
  /** How long a call may take before it is `DriverUnavailableError`. @default "2s" */
  readonly timeout?: Duration | undefined;
  /**
   * How many replicas must have a write before it is acknowledged (`WAIT`), so that it survives the end of the
   * master. It costs their answer's time, and what comes behind it on the same connection waits as well; where they do
   * not answer, a write is `DriverUnavailableError`. With Sentinel, the driver keeps the client's
   * connection to the master: give it a client of its own, or nobody else can use that. 0 or more.
   * @default 0
   */
  readonly waitReplicas?: number | undefined;
}

const OPTIONS = ["client", "prefix", "timeout", "waitReplicas"] as const;

/** A server that answers, but not what was asked for: NOAUTH, NOPERM, OOM, READONLY, LOADING, CLUSTERDOWN... */
function translate(error: unknown): DriverUnavailableError | undefined {
  const code = error instanceof Error && /^[A-Z]+(?= )/.exec(error.message)?.[0];
  if (!code) return undefined;
  return new DriverUnavailableError(`redis: the server refuses with ${code}`, { cause: error });
}

/** Redis keeps an expired record for an hour more, so that late requests learn how it ended (R2). */
const LEFTOVER_MS = 3_600_000;

/**
 * Keeps sessions in Redis or Valkey: a hash per session, and a sorted set per principal. Redis removes what has
 * expired by itself, an hour later.
 *
 * @throws SessionConfigError naming an option that is unknown or out of range.
 */
export function redisDriver(options: RedisDriverOptions): ListingDriver & ProvisionedDriver {
  checkOptions("redisDriver", options, OPTIONS);
  const { client, prefix = "sessions:", timeout: limit = "2s", waitReplicas = 0 } = options;
  checkClient(client, "a client of the package redis", ["sendCommand()"], ["redis"]);
  checkOption(
    typeof prefix === "string" && prefix.isWellFormed() && prefix.length >= 1 && prefix.length <= 100,
    "prefix",
    "text of 1 to 100 characters",
    prefix,
  );
  checkOption(isWhole(waitReplicas, 0), "waitReplicas", "a whole number of 0 or more", waitReplicas);
  checkOption(
    waitReplicas === 0 || !("masters" in client) || "getNodeClientForKey" in client,
    "waitReplicas",
    "0 with a cluster's client of redis 5; redis 6 can do more",
    waitReplicas,
  );
  const timeout = milliseconds("timeout", limit);

  const call = createCall({ driver: "redis", timeout, translate });
  const connection = connectionOf(client, timeout, waitReplicas > 0);
  const keys = keysOf(prefix);
  // In time for its answer to tell more than that there was none.
  const patience = `${Math.ceil(timeout / 2)}`;

  const within: Within = (work, time = timeout) => {
    let controller: AbortController | undefined;
    let late = false;
    const signal = () => {
      controller ??= new AbortController();
      // One for each server, where all are asked.
      setMaxListeners(0, controller.signal);
      if (late) controller.abort();
      return controller.signal;
    };
    return call(
      () => work({ time, signal }),
      time,
      () => {
        late = true;
        controller?.abort();
      },
    );
  };

  async function runOnce(key: string, command: string[], limits: Limits): Promise<unknown> {
    if (waitReplicas === 0) return connection.send(key, command, limits);
    const wait = ["WAIT", `${waitReplicas}`, patience];
    const [answer, reached] = await connection.sendPair(key, command, wait, limits);
    if (Number(reached) < waitReplicas)
      throw new DriverUnavailableError(
        `redis: only ${Number(reached)} of ${waitReplicas} replicas have the change; it may or may not survive`,
      );
    return answer;
  }

  /** By its digest; a server that was restarted does not know it yet, and gets it whole. */
  const run: RunScript = ({ sha, source }, key, args, end = performance.now() + timeout) =>
    within(
      (limits) =>
        runOnce(key, ["EVALSHA", sha, "1", key, ...args], limits).catch((error: unknown) => {
          if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
          // Some of the time is used up.
          return runOnce(key, ["EVAL", source, "1", key, ...args], { ...limits, time: 0 });
        }),
      end - performance.now(),
    );

  async function load(id: string): Promise<StoredRecord | undefined> {
    const key = keys.record(id);
    return parseRecord(await within((limits) => connection.send(key, ["HGETALL", key], limits)));
  }

  const backend = { within, connection, keys, timeout, run, load };
  const indexes = createIndexes(backend);

  /** A record of a principal is in the index before it is written; both have one time, and `left` is the record's. */
  async function write(
    script: Script,
    id: string,
    args: string[],
    { principal, left, end }: { principal: string | null | undefined; left: number; end: number },
  ) {
    const record = keys.record(id);
    if (typeof principal !== "string") return run(script, record, args, end);
    const mayBeDead = await indexes.add(principal, id, left, end);
    const [answer] = await Promise.all([
      run(script, record, args, end),
      indexes.prune(principal, mayBeDead, end),
    ]);
    return answer;
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
      return (await write(CREATE, id, args, { principal, left: expiresAt - now, end })) === 1;
    },

    load,

    async commit(id, change, now) {
      const { fields, expiresAt, principal, ifVersion } = change;
      const sets: string[] = [];
      const deletes: string[] = [];
      for (const [name, text] of fields) {
        if (text === null) deletes.push(name);
        else sets.push(name, text);
      }
      const args = [
        `${now}`,
        ifVersion === undefined ? "" : `${ifVersion}`,
        expiresAt === undefined ? "" : `${expiresAt}`,
        expiresAt === undefined ? "" : keptFor(expiresAt, now),
        principal === undefined ? "" : principal === null ? "-" : `=${principal}`,
        raisesVersion(change) ? "1" : "0",
        expiresAt === undefined ? "" : `${stepOf(expiresAt - now)}`,
        `${sets.length}`,
      ];
      const end = performance.now() + timeout;
      // What an expiry that is not known here needs, the script tells.
      const left = (expiresAt ?? now) - now;
      const answer = await write(COMMIT, id, [...args, ...sets, ...deletes], { principal, left, end });
      if (Array.isArray(answer)) {
        await indexes.add(String(answer[0]), id, Number(answer[1]) - now, end);
        return "committed";
      }
      return answer === 1 ? "committed" : answer === 2 ? "conflict" : "gone";
    },

    destroy: async (id, now) => (await run(DESTROY, keys.record(id), [`${now}`])) === 1,

    async sweep() {
      await indexes.heal();
      return 0; // Redis has removed the records, or will.
    },

    async list({ principal, cursor, limit }, now) {
      if (principal !== undefined) {
        const { records, ...page } = await indexes.of(principal, cursor, limit);
        return { records: records.filter(({ expiresAt }) => expiresAt > now), ...page };
      }
      const page = await within((limits) => scanPage(connection, limits, keys.pattern, limit, cursor));
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
