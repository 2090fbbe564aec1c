import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runConformance } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { FILLER, ROWS } from "../backend.ts";
import { type SideBySide, sideBySide } from "../measure/rates.ts";
import { findService } from "../services.ts";
import type { Client } from "./client.ts";

/** What the kit saw of a client on a server. */
export interface Passed {
  readonly client: Client;
  readonly server: string;
  readonly passed: number;
  readonly failed: readonly string[];
  /** Why clauses did not apply, without doubles. */
  readonly skipped: readonly string[];
}

/** What was seen of a client. */
export interface Measured extends Passed {
  readonly reads: SideBySide;
  readonly writes: SideBySide;
}

const HOUR = 3_600_000;
const ROUNDS = 5;
const MS = 300;

/** A place to open the client, and the line to it that can be cut, if there is one. */
async function placeOf({ driver, service, front }: Client) {
  if (service === undefined) {
    const folder = mkdtempSync(join(tmpdir(), "sessions-bench-"));
    const close = async () => rmSync(folder, { recursive: true, force: true });
    return { where: folder, version: "in process", line: undefined, close };
  }
  const found = await findService(service);
  if ("missing" in found) throw new Error(`${driver}: ${found.missing}`);
  const own = await front?.(found.url);
  const where = own?.url ?? found.url;
  const line = await startProxy(where);
  const close = async () => {
    await line.close();
    await own?.close();
  };
  return { where, version: found.version + (found.emulator ? " (emulator)" : ""), line, close };
}

type Progress = (text: string) => void;
type Place = Awaited<ReturnType<typeof placeOf>>;

/** Runs the kit on the client, and compares its driver's rates with those of the client by hand. */
export async function measure(client: Client, progress: Progress): Promise<Measured> {
  const place = await placeOf(client);
  try {
    return { ...(await runKit(client, place, progress)), ...(await rates(client, place.where)) };
  } finally {
    await place.close();
  }
}

/** Runs the kit on the client, and nothing else. */
export async function judge(client: Client, progress: Progress): Promise<Passed> {
  const place = await placeOf(client);
  try {
    return await runKit(client, place, progress);
  } finally {
    await place.close();
  }
}

async function runKit(client: Client, { where, version, line }: Place, progress: Progress): Promise<Passed> {
  const behind = await client.open(line?.url ?? where);
  const report = await runConformance(
    {
      name: client.name,
      open: (namespace, about) => behind.driver(namespace, about?.outage ? 1_000 : 4_000),
      ...(line && { outage: { cut: line.cut, restore: line.restore, drop: line.drop } }),
    },
    { onResult: (_, done, total) => done % 50 === 0 && progress(`${done} of ${total} clauses`) },
  );
  await behind.close();
  const of = (status: string) => report.results.filter((one) => one.status === status);
  return {
    client,
    server: version,
    passed: report.passed,
    failed: of("failed").map(({ rule, error }) => `${rule} ${String(error).split("\n")[0]}`),
    skipped: [...new Set(of("skipped").map(({ rule, title }) => `${rule} ${title}`))],
  };
}

async function rates(client: Client, where: string): Promise<{ reads: SideBySide; writes: SideBySide }> {
  const { driver: driverOf, bare, close } = await client.open(where);
  const driver = driverOf("bench", 10_000);
  await driver.setup?.();
  const now = Date.now();
  const fields = new Map([["filler/x", FILLER]]);
  const ids = Array.from({ length: ROWS }, () => randomBytes(16).toString("hex"));
  for (const id of ids) await driver.create(id, { expiresAt: now + HOUR, fields }, now);
  const idOf = (i: number): string => ids[i % ROWS] ?? "";
  const text = (i: number): string => `${i}`.padStart(20, "0");
  const reads = await sideBySide(
    ROUNDS,
    MS,
    (i) => driver.load(idOf(i)),
    (i) => bare.load(i % ROWS),
  );
  const writes = await sideBySide(
    ROUNDS,
    MS,
    (i) => driver.commit(idOf(i), { fields: new Map([["a/x", text(i)]]) }, now),
    (i) => bare.commit(i % ROWS, text(i)),
  );
  await driver.teardown?.();
  await close();
  return { reads, writes };
}
