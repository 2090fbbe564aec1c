import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { MongoBinary, MongoMemoryReplSet } from "mongodb-memory-server-core";
import { startFerretdb } from "./ferretdb.ts";
import { findProgram } from "./machine.ts";
import { CACHE, startMongodbEmulator } from "./mongodb-emulator.ts";
import { newest } from "./newest.ts";
import { HOST } from "./server.ts";
import type { Missing, Started } from "./service.ts";

/** How long a failed download is remembered. Where it cannot work, each try takes seconds. */
const FORGET_MS = 7 * 24 * 3_600_000;
const FAILED = join(CACHE, "download-failed");

interface Mongod {
  readonly command: string;
  readonly obtained: string;
}

/** Finds a program on the PATH, or the one of mongodb-memory-server, unless its download failed recently. */
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

/** Servers that replicate each other. */
export interface MongodbReplicaSet {
  /** The URL that names all of them. */
  readonly url: string;
  readonly ports: readonly number[];
  readonly version: string;
  readonly obtained: string;
  stop(): Promise<void>;
}

/** Starts a replica set of `count` servers on this machine. Returns `undefined` without a mongod. */
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
 * Finds the tests' MongoDB: at the given address (of a primary), a mongod, or an emulator; of the newest
 * servers, FerretDB. The mongod is a replica set
 * of one, so that writes to a majority and the client's repeats are real.
 */
export async function startMongodb(address: string | undefined): Promise<Started | Missing> {
  if (address !== undefined)
    return {
      url: address,
      version: "MongoDB",
      obtained: "SESSIONS_TEST_MONGODB_URL",
      stop: async () => {},
    };
  if (newest) return startFerretdb();
  const set = await startMongodbReplicaSet(1);
  if (set) {
    const { version, obtained, stop } = set;
    // Leave out the set's name. With it, the client would look for the members and bypass the tests' proxy.
    return { url: `mongodb://${HOST}:${set.ports[0]}/?directConnection=true`, version, obtained, stop };
  }
  const emulator = await startMongodbEmulator();
  if (!("missing" in emulator)) return emulator;
  return {
    missing: `${emulator.missing}. Install MongoDB's server, or Java and Maven for an emulator (Debian and Ubuntu: sudo apt-get install -y openjdk-17-jdk-headless maven), or name a server in SESSIONS_TEST_MONGODB_URL: mongodb://host:port. The tests write to it.`,
  };
}
