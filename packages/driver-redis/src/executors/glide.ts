import { DriverUnavailableError, SessionConfigError } from "@sessions/core";
import type { RedisExecutor, RedisMaster, RedisTimeLimit } from "../executor.ts";

/** Options of one command of `@valkey/valkey-glide`. */
export interface GlideCommandOptions {
  /** `Decoder.String`. */
  readonly decoder: 1;
}

/** Where a cluster's client of `@valkey/valkey-glide` sends a command. */
export type GlideRoute =
  | { readonly type: "primarySlotKey"; readonly key: string }
  | { readonly type: "routeByAddress"; readonly host: string; readonly port: number };

/** The few members of `GlideClient` that the driver uses. */
export interface GlideClientLike {
  customCommand(args: string[], options?: GlideCommandOptions): Promise<unknown>;
}

/** The few members of `GlideClusterClient` that the driver uses. */
export interface GlideClusterClientLike {
  customCommand(
    args: string[],
    options?: GlideCommandOptions & { readonly route?: GlideRoute | "allPrimaries" },
  ): Promise<unknown>;
  invokeScriptWithRoute(...args: never[]): unknown;
}

/** Any client of `@valkey/valkey-glide`. */
export type AnyGlideLike = GlideClientLike | GlideClusterClientLike;

const STRINGS = { decoder: 1 } as const;

/** A map is a list of such entries. */
const isEntry = (entry: unknown): entry is { key: unknown; value: unknown } =>
  Object(entry) === entry && "key" in Object(entry) && "value" in Object(entry);

/** Maps as lists of pairs; every other reply as it is. */
const pairsOf = (reply: unknown): unknown =>
  Array.isArray(reply) ? reply.map((entry) => (isEntry(entry) ? [entry.key, entry.value] : entry)) : reply;

/** The server's codes for the client's names. A code that the client has no name for comes as it is. */
const CODES: Readonly<Record<string, string>> = {
  NoScriptError: "NOSCRIPT",
  ResponseError: "ERR",
  BusyLoadingError: "LOADING",
  ReadOnly: "READONLY",
};

/** Restores the code of a server's error reply: the client writes `NoScriptError: …` and `WRONGTYPE: …`. */
function restoreCode(error: unknown): never {
  const [, name = "", text] =
    (error instanceof Error && /^(?:.* server: - )?(\w+): (.*)/s.exec(error.message)) || [];
  const code = CODES[name] ?? /^[A-Z]+$/.exec(name)?.[0];
  throw code === undefined ? error : new Error(`${code} ${text}`, { cause: error });
}

/**
 * Runs commands on a client of `@valkey/valkey-glide`. Such a client sends what waits for a connection once there is one,
 * up to its own `requestTimeout`. So each command needs a call that has more time left than that.
 *
 * @param timeout The driver's timeout, in milliseconds.
 */
export function glide(client: AnyGlideLike, timeout: number): RedisExecutor {
  const patience: unknown = "requestTimeout" in client ? client.requestTimeout : undefined;
  if (typeof patience !== "number" || patience >= timeout)
    throw new SessionConfigError(
      `client must have a requestTimeout below the driver's timeout of ${timeout} ms, because it sends what waited until then; got ${patience}`,
    );

  const checkTime = ({ left }: RedisTimeLimit) => {
    if (left() <= patience)
      throw new DriverUnavailableError(
        `redis: the call has less time left than the client's requestTimeout of ${patience} ms, so this command was not sent. Make requestTimeout shorter, or the option timeout longer.`,
      );
  };

  if (!("invokeScriptWithRoute" in client)) {
    const send: RedisMaster["send"] = async (args, limit) => {
      checkTime(limit);
      return client.customCommand(args, STRINGS).then(pairsOf, restoreCode);
    };
    return {
      send: (_, args, limit) => send(args, limit),
      masters: async () => [{ address: "server", send }],
    };
  }

  const sendTo = (route: GlideRoute | "allPrimaries", args: string[]) =>
    client.customCommand(args, { ...STRINGS, route }).then(pairsOf, restoreCode);
  const sendInTime = async (route: GlideRoute, args: string[], limit: RedisTimeLimit) => {
    checkTime(limit);
    return sendTo(route, args);
  };
  return {
    send: (key, args, limit) => sendInTime({ type: "primarySlotKey", key }, args, limit),
    async masters() {
      const infos = await sendTo("allPrimaries", ["INFO", "server"]);
      if (!Array.isArray(infos)) throw new Error("The client's answer names no server");
      const addresses = infos.map(([address]) => String(address)).sort();
      return addresses.map((address) => {
        const [, host = "", port] = /^(.*):(\d+)$/.exec(address) ?? [];
        const route = { type: "routeByAddress", host, port: Number(port) } as const;
        return { address, send: (args, limit) => sendInTime(route, args, limit) };
      });
    },
  };
}
