import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import getPort from "get-port";
import { findProgram } from "./machine.ts";
import { findRedis, startRedisServer } from "./redis.ts";
import { HOST, type Server, startServer } from "./server.ts";

const run = promisify(execFile);
/** How long a master must be silent before its replica takes over. */
const NODE_TIMEOUT_MS = 1_000;

function redisCli(): string {
  const command = findProgram(["redis-cli", "valkey-cli"]);
  if (command === undefined) throw new Error("No redis-cli beside the redis-server. Install it.");
  return command;
}

/** Sends a command to a server with redis-cli. */
export async function askRedis(port: number, ...args: string[]): Promise<string> {
  return (await run(redisCli(), ["-h", HOST, "-p", String(port), ...args])).stdout.trim();
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 30_000;
  while (!(await isSo().catch(() => false))) {
    if (Date.now() > end) throw new Error(`Redis: timed out before ${what}.`);
    // Poll, because no event announces it.
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export interface RedisCluster {
  /** Three masters and three replicas. */
  readonly servers: readonly Server[];
  /** Ends a master by SIGKILL, waits until its replica has taken over, and gives the new master a replica. */
  killMaster(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a cluster of three masters with a replica each, on this machine. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const startNode = async (): Promise<Server & { bus: number }> => {
    const bus = await getPort({ host: HOST });
    const server = await startRedisServer([
      ...["--cluster-enabled", "yes", "--cluster-port", String(bus)],
      ...["--cluster-node-timeout", String(NODE_TIMEOUT_MS), "--cluster-replica-validity-factor", "0"],
    ]);
    return { ...server, bus };
  };
  const servers = await Promise.all(Array.from({ length: 6 }, startNode));
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop("SIGKILL")));
  };
  try {
    const addresses = servers.map(({ port }) => `${HOST}:${port}`);
    const create = ["--cluster", "create", ...addresses, "--cluster-replicas", "1", "--cluster-yes"];
    await run(redisCli(), create);
    for (const { port } of servers)
      await until("the cluster is whole", async () => {
        const info = await askRedis(port, "cluster", "info");
        const nodes = await askRedis(port, "cluster", "nodes");
        return info.includes("cluster_state:ok") && nodes.split("slave ").length === 4;
      });
    for (const { port } of servers)
      await until("replicas are in step", async () => {
        const info = await askRedis(port, "info", "replication");
        return info.includes("role:slave")
          ? info.includes("master_link_status:up")
          : info.includes("state=online");
      });
  } catch (error) {
    await stop();
    throw error;
  }

  async function killMaster(): Promise<void> {
    const roles = await Promise.all(servers.map(({ port }) => askRedis(port, "info", "replication")));
    const master = servers.find((_, i) => roles[i]?.includes("role:master"));
    const witness = servers.find((server) => server !== master);
    if (!master || !witness) throw new Error("The cluster has no master");
    const ended = await askRedis(master.port, "cluster", "myid");
    await master.stop("SIGKILL");
    const nodes = async () => (await askRedis(witness.port, "cluster", "nodes")).split("\n").map(parseNode);
    const alive = async (role: string) =>
      (await nodes()).filter((node) => node.flags.includes(role) && !node.failed);
    await until("a replica has taken the master's place", async () => {
      const masters = await alive("master");
      return masters.length === 3 && !masters.some(({ id }) => id === ended);
    });

    const added = await startNode();
    servers.push(added);
    const replicated = new Set((await alive("slave")).map(({ masterId }) => masterId));
    const orphan = (await alive("master")).find(({ id }) => !replicated.has(id));
    if (!orphan) throw new Error("Every master has a replica");
    await askRedis(added.port, "cluster", "meet", HOST, String(witness.port), String(witness.bus));
    await until("the new server knows the orphaned master", async () => {
      return (await askRedis(added.port, "cluster", "replicate", orphan.id)) === "OK";
    });
  }
  return { servers, killMaster, stop };
}

/** Parses a line of CLUSTER NODES. */
function parseNode(line: string): { id: string; flags: string; masterId: string; failed: boolean } {
  const [id = "", , flags = "", masterId = ""] = line.split(" ");
  return { id, flags, masterId, failed: /fail|handshake|noaddr/.test(flags) };
}

export interface RedisReplication {
  readonly master: Server;
  readonly replica: Server;
  /** The sentinels. They watch the master, and promote the replica when the master is gone. */
  readonly sentinels: readonly Server[];
  /** The sentinels' name for the master. */
  readonly name: string;
  /** Waits until there is a master, and starts another replica of it. */
  addReplica(): Promise<Server>;
  stop(): Promise<void>;
}

/** Starts a master with a replica, and three sentinels that watch them. */
export async function startRedisReplication(): Promise<RedisReplication> {
  const servers: Server[] = [];
  const started = (server: Server): Server => {
    servers.push(server);
    return server;
  };
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop("SIGKILL")));
  };
  try {
    const name = "sessions";
    const master = started(await startRedisServer());
    const replica = started(await startRedisServer(["--replicaof", `${HOST} ${master.port}`]));
    await until("the replica is in step", async () =>
      (await askRedis(replica.port, "info", "replication")).includes("master_link_status:up"),
    );
    const sentinels: Server[] = [];
    for (let i = 0; i < 3; i++) sentinels.push(started(await startSentinel(name, master.port)));
    for (const { port } of sentinels)
      await until("the sentinels know each other and the replica", async () => {
        const lines = (await askRedis(port, "sentinel", "master", name)).split("\n");
        const value = (key: string) => Number(lines[lines.indexOf(key) + 1]);
        return value("num-slaves") === 1 && value("num-other-sentinels") === 2;
      });
    async function addReplica(): Promise<Server> {
      await until("the replica is promoted", async () =>
        (await askRedis(replica.port, "info", "replication")).includes("role:master"),
      );
      return started(await startRedisServer(["--replicaof", `${HOST} ${replica.port}`]));
    }
    return { master, replica, sentinels, name, addReplica, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startSentinel(name: string, masterPort: number): Promise<Server> {
  const command = findRedis();
  if (command === undefined)
    throw new Error('No redis-server was found. Call service("redis") first, and skip the test.');
  const config = [
    `sentinel monitor ${name} ${HOST} ${masterPort} 2`,
    `sentinel down-after-milliseconds ${name} 1000`,
    `sentinel failover-timeout ${name} 5000`,
  ].join("\n");
  return startServer({
    command,
    prepare: (folder) => writeFileSync(join(folder, "sentinel.conf"), config),
    args: (port, folder) => [
      ...[join(folder, "sentinel.conf"), "--sentinel"],
      ...["--port", String(port), "--bind", HOST, "--dir", folder],
    ],
  });
}
