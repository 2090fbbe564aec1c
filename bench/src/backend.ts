import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Driver } from "@sessions/core";
import { openProxy } from "@sessions/test-services/proxy";
import type { ServiceName } from "@sessions/test-services/service";
import { findService } from "./services.ts";

/**
 * The same work by the client alone, as somebody would write it by hand who needs no more: a record is read by its id,
 * with its version and its fields as a program can use them; one field of a record that has not expired is written, and
 * the version counts it.
 */
interface Bare {
  load(row: number): Promise<unknown>;
  commit(row: number, text: string): Promise<unknown>;
}

/** As many sessions, and rows of the bare client, as are busy at once on a site of some size. */
export const ROWS = 500;
export const rows: readonly number[] = Array.from({ length: ROWS }, (_, row) => row);

/** The id of a row of the bare client, of the length that sessions have. */
export const idOf = (row: number): string => row.toString(16).padStart(32, "0");
/** When such a row expires: not while anybody measures. */
export const EXPIRY = 4_000_000_000_000;

/** A backend, opened for measuring. */
interface Opened {
  readonly driver: Driver;
  readonly bare: Bare;
  close(): Promise<unknown>;
}

/** How a backend is opened: at a server's URL, or in a folder. */
export interface Backend {
  readonly name: string;
  readonly service?: ServiceName;
  open(where: string): Promise<Opened>;
}

/** The 1 KB that a session holds here beside the value that is written. */
export const FILLER: string = randomBytes(512).toString("hex");

export interface Measurable extends Opened {
  /** What it ran on, as a reader would name it. */
  readonly version: string;
  /** Round trips of one call, counted on the line; `undefined` where there is no line. */
  roundTrips(call: (driver: Driver) => Promise<unknown>): Promise<number | undefined>;
}

/** Opens a backend, and a second time behind a proxy that counts, or says why it cannot. */
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
  const proxy = await openProxy(found.url);
  const counted = await open(proxy.url);
  return {
    ...opened,
    version: found.version + (found.emulator ? " (emulator)" : ""),
    async roundTrips(call) {
      const counts: number[] = [];
      // The least of several: connections begin, statements are prepared, and a client may look after its server.
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
