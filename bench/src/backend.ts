import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startProxy } from "@sessions/conformance/proxy";
import type { Driver } from "@sessions/core";
import type { ServiceName } from "@sessions/test-services/service";
import { findService } from "./services.ts";

/**
 * The same work by the client alone, as written by hand. It reads a record by its id, with its version
 * and its fields in a form that a program can use. It writes one field of a record that has not expired, and counts the
 * version.
 */
export interface Bare {
  load(row: number): Promise<unknown>;
  commit(row: number, text: string): Promise<unknown>;
}

/** How many sessions, and rows of the bare client, are in use at once: as many as on a site of some size. */
export const ROWS = 500;
export const rows: readonly number[] = Array.from({ length: ROWS }, (_, row) => row);

/** The id of a row of the bare client, as long as a session's. */
export const idOf = (row: number): string => row.toString(16).padStart(32, "0");
/** When such a row expires: long after the run. */
export const EXPIRY = 4_000_000_000_000;

/** A backend that is open for the measurement. */
interface Opened {
  readonly driver: Driver;
  readonly bare: Bare;
  close(): Promise<unknown>;
}

/** Opens a backend: at a server's URL, or in a folder. */
export interface Backend {
  readonly name: string;
  readonly service?: ServiceName;
  open(where: string): Promise<Opened>;
}

/** The 1 KB of other data in each session. */
export const FILLER: string = randomBytes(512).toString("hex");

export interface Measurable extends Opened {
  /** The backend's name and version, for a reader. */
  readonly version: string;
  /** Round trips of one call, counted on the wire; `undefined` without a connection. */
  roundTrips(call: (driver: Driver) => Promise<unknown>): Promise<number | undefined>;
}

/** Opens a backend twice, once behind a proxy that counts. Returns a sentence that says why if it cannot. */
export async function openBackend({ name, service, open }: Backend): Promise<Measurable | string> {
  if (service === undefined) {
    const folder = mkdtempSync(join(tmpdir(), "sessions-bench-"));
    const opened = await open(folder);
    const close = async () => {
      await opened.close();
      rmSync(folder, { recursive: true, force: true });
    };
    return {
      ...opened,
      version: `in process, Node ${process.versions.node}`,
      roundTrips: async () => undefined,
      close,
    };
  }
  const found = await findService(service);
  if ("missing" in found) return `${name}: ${found.missing}`;
  const opened = await open(found.url);
  const proxy = await startProxy(found.url);
  const counted = await open(proxy.url);
  return {
    ...opened,
    version: found.version + (found.emulator ? " (emulator)" : ""),
    async roundTrips(call) {
      const counts: number[] = [];
      // Take the least of several: some calls also open connections, prepare statements, or check the server.
      for (let i = 0; i < 5; i++) {
        const before = proxy.roundTrips();
        await call(counted.driver);
        counts.push(proxy.roundTrips() - before);
      }
      return Math.min(...counts);
    },
    async close() {
      await opened.close();
      await counted.close();
      await proxy.close();
    },
  };
}
