import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { MongoBinary, MongoMemoryReplSet } from "mongodb-memory-server-core";
import { findProgram } from "./machine.ts";
import { CACHE, startMongodbEmulator } from "./mongodb-emulator.ts";
import { HOST } from "./server.ts";
import type { Missing, Started } from "./service.ts";

/** How long a failed download is remembered, in milliseconds: each try takes seconds where it cannot succeed. */
const FORGET_MS = 7 * 24 * 3_600_000;
const FAILED = join(CACHE, "download-failed");

interface Mongod {
  readonly command: string;
  readonly obtained: string;
}

/** Finds a program on the PATH, or lets mongodb-memory-server fetch one, unless that has failed lately. */
async function findMongod(): Promise<Mongod | undefined> {
  const installed = findProgram(["mongod"]);
  if (installed !== undefined) return { command: installed, obtained: "program on the PATH" };
  const configured = Object.keys(process.env).some((name) => name.startsWith("MONGOMS_"));
  if (!configured && existsSync(FAILED) && Date.now() - statSync(FAILED).mtimeMs < FORGET_MS)
    return undefined;
  try {
    return { command: await MongoBinary.getPath(), obtained: "package mongodb-memory-server" };
  } catch {
    mkdirSync(CACHE, { recursive: true });
    writeFileSync(FAILED, "");
    return undefined;
  }
}

const versionOf = (command: string): string =>
  /db version v?([\d.]+)/.exec(execFileSync(command, ["--version"], { encoding: "utf8" }))?.[1] ?? "?";

/** Servers on this machine that replicate each other. */
export interface MongodbReplicaSet {
  /** The URL, which names all servers. */
  readonly url: string;
  readonly ports: readonly number[];
  readonly version: string;
  readonly obtained: string;
  stop(): Promise<void>;
}

/** Starts a replica set of `count` servers on this machine. Returns `undefined` if there is no mongod. */
export async function startMongodbReplicaSet(count: number): Promise<MongodbReplicaSet | undefined> {
  const mongod = await findMongod();
  if (!mongod) return undefined;
  const version = versionOf(mongod.command);
  const set = await MongoMemoryReplSet.create({
    binary: { systemBinary: mongod.command, version },
    replSet: {
      count,
      ip: HOST,
      storageEngine: "wiredTiger",
      configSettings: { electionTimeoutMillis: 2_000, heartbeatIntervalMillis: 500 },
    },
  });
  return {
    url: set.getUri(),
    ports: set.servers.map(({ instanceInfo }) => instanceInfo?.port ?? 0),
    version: `MongoDB ${version}`,
    obtained: mongod.obtained,
    stop: async () => void (await set.stop()),
  };
}

/**
 * Starts the MongoDB of the tests: the given address (of a primary), a mongod, or an emulator. A mongod is a replica set
 * of one, so that majority writes and the client's retries are real.
 */
export async function startMongodb(address: string | undefined): Promise<Started | Missing> {
  if (address !== undefined)
    return {
      url: address,
      version: "MongoDB",
      obtained: "SESSIONS_TEST_MONGODB_URL",
      stop: async () => {},
    };
  const set = await startMongodbReplicaSet(1);
  if (set) {
    const { version, obtained, stop } = set;
    // Without the set's name: a client that looks for its members would bypass the tests' proxy.
    return { url: `mongodb://${HOST}:${set.ports[0]}/?directConnection=true`, version, obtained, stop };
  }
  const emulator = await startMongodbEmulator();
  if (!("missing" in emulator)) return emulator;
  return {
    missing: `${emulator.missing}. Install MongoDB's server, or Java and Maven for an emulator (Debian and Ubuntu: sudo apt-get install -y openjdk-17-jdk-headless maven), or name a server in SESSIONS_TEST_MONGODB_URL: mongodb://host:port. The tests write to it.`,
  };
}
