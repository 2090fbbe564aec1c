import type { Driver, ProvisionedDriver } from "@sessions/core";
import type { ServiceName } from "@sessions/test-services/service";
import type { Bare } from "../backend.ts";

/** A client that is open: for drivers, and for the same work by hand. */
interface OpenClient {
  driver(namespace: string, timeout: number): Driver & Partial<ProvisionedDriver>;
  readonly bare: Bare;
  close(): Promise<unknown>;
}

/** A client that a driver takes: a row of the table. */
export interface Client {
  /** The driver's last name: `"redis"`. */
  readonly driver: string;
  /** The client, for a reader: `"ioredis"`. */
  readonly name: string;
  /** The npm packages whose versions the table shows. */
  readonly packages: readonly string[];
  /** The server that it needs. Without one, it gets a folder. */
  readonly service?: ServiceName;
  /** It cannot log in to the newest server. */
  readonly isOld?: boolean;
  /** Puts the server's HTTP interface in front of it. Lines are then cut between the client and that. */
  front?(url: string): Promise<{ readonly url: string; close(): Promise<void> }>;
  /** Opens it at a URL, or in a folder. */
  open(where: string): Promise<OpenClient>;
}
