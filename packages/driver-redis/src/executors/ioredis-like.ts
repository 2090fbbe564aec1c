// The few members of ioredis and iovalkey that the driver uses.

/** What `call()` makes of a name and its arguments, and `sendCommand()` sends. */
export interface IoredisCommandLike {
  readonly promise: Promise<unknown>;
  reject(error: Error): void;
  getSlot(): number | null;
  toWritable(socket: object): string | Uint8Array;
}

/** A client of one server, or of Sentinel: `new Redis()`. */
export interface IoredisLike {
  readonly status: string;
  readonly options: object;
  /** Missing in a cluster's client. */
  readonly mode?: string;
  call(name: string, args: string[]): unknown;
  sendCommand(command: IoredisCommandLike): unknown;
  defineCommand(name: string, definition: { lua: string }): void;
  connect(): Promise<unknown>;
  on(event: "ready" | "close", listener: () => void): unknown;
  off(event: "ready" | "close", listener: () => void): unknown;
}

/** A client of a cluster: `new Cluster()`. */
export interface IoredisClusterLike extends Omit<IoredisLike, "sendCommand"> {
  sendCommand(command: IoredisCommandLike, stream?: undefined, node?: object): unknown;
  nodes(role: "master" | "slave"): IoredisNodeLike[];
  /** Asks the servers again which of them has which keys. */
  refreshSlotsCache(): void;
}

/** A server of a cluster. */
export interface IoredisNodeLike extends IoredisLike {
  /** Its connection. */
  readonly stream: object;
  readonly options: { readonly host?: string | undefined; readonly port?: number | undefined };
}

/** Any client of ioredis or iovalkey. */
export type AnyIoredisLike = IoredisLike | IoredisClusterLike;
