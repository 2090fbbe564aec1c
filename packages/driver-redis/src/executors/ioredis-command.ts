import { SessionConfigError } from "@sessions/core";
import type { RedisTimeLimit } from "../executor.ts";
import type { AnyIoredisLike, IoredisCommandLike } from "./ioredis-like.ts";

/** A command that is written once at most, and never after the call has failed. */
interface OnceCommand {
  readonly command: IoredisCommandLike;
  /** Allows one more try after the server's refusal. */
  again(): void;
}

/** What the executors of a client make and send commands with. */
interface IoredisCommands {
  make(args: string[], limit: RedisTimeLimit): OnceCommand;
  slotOf(key: string): number | null;
  /**
   * Waits for the end of the attempt to connect that is under way: what the client cannot send, it would keep until the
   * server is back. A client that connects at its first command begins here.
   */
  ready(): Promise<void>;
}

/** Written where a command must not be: the client has counted on a reply already. */
const PING = "*1\r\n$4\r\nPING\r\n";

/**
 * Makes the commands of a client. The client itself repeats what a broken connection left without a reply, even where the
 * server has executed it: a compare-and-set would conflict with itself. So each command guards itself.
 *
 * @param isBarred Whether a command must not be written to a connection.
 */
export function commandsOf(client: AnyIoredisLike, isBarred?: (socket: object) => boolean): IoredisCommands {
  // Only `call()` makes commands. On this object it makes one without sending it, and with neither `keyPrefix`, which
  // SCAN would not know, nor a pipeline, which repeats as a whole.
  const maker: { call(name: string, args: string[]): IoredisCommandLike } = Object.create(client, {
    options: { value: { ...client.options, keyPrefix: "", enableAutoPipelining: false } },
    sendCommand: { value: (command: IoredisCommandLike) => command },
  });
  let waiting: Promise<void> | undefined;

  return {
    // In capitals, because a cluster's client takes only names in small letters for reads that a replica may answer.
    make([name = "", ...args], { isOver }) {
      const command = maker.call(name, args);
      const { reject, toWritable } = command;
      // Only a command tells the versions of a cluster's client apart, and none is made before the first call.
      if (isBarred && toWritable.length === 0)
        throw new SessionConfigError(
          "client must be a Cluster of ioredis 5 or 6, because an older one may read from a replica where it has lost the masters: update the package ioredis",
        );
      let tries = 1;
      command.toWritable = (socket) => {
        if (tries-- > 0 && !isOver() && !isBarred?.(socket)) return toWritable.call(command, socket);
        reject(new Error("The connection broke, or the time was over, before the server replied"));
        return PING;
      };
      return { command, again: () => tries++ };
    },

    slotOf: (key) => maker.call("exists", [key]).getSlot(),

    async ready() {
      if (client.status === "ready") return;
      if (client.status === "wait") client.connect().catch(() => {});
      if (client.status !== "end")
        waiting ??= new Promise((resolve) => {
          const end = () => {
            client.off("ready", end);
            client.off("close", end);
            waiting = undefined;
            resolve();
          };
          client.on("ready", end);
          client.on("close", end);
        });
      await waiting;
      if (client.status !== "ready") throw new Error("The client is not connected");
    },
  };
}

/** ioredis puts the command on its errors, and so the texts of a session: not on ours. */
function throwWithoutCommand(error: unknown): never {
  if (error instanceof Error) Reflect.deleteProperty(error, "command");
  throw error;
}

/** The reply to a command. */
export const replyTo = ({ promise }: IoredisCommandLike): Promise<unknown> =>
  promise.catch(throwWithoutCommand);
