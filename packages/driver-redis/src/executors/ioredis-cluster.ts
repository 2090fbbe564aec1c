import { setTimeout } from "node:timers/promises";
import { hasCode } from "../errors.ts";
import type { RedisExecutor, RedisMaster } from "../executor.ts";
import { ioredis } from "./ioredis.ts";
import { commandsOf, replyTo } from "./ioredis-command.ts";
import type { IoredisClusterLike } from "./ioredis-like.ts";

/** As often as the client itself, which picks any server where it does not know the right one. */
const REDIRECTIONS = 16;
const PAUSE_MS = 20;

/** Runs commands on a cluster's client of ioredis or iovalkey. */
export function ioredisCluster(client: IoredisClusterLike): RedisExecutor {
  // A client that has lost every master asks a replica, which may be behind.
  const isReplica = (socket: object) => {
    const found = client.nodes("slave").some(({ stream }) => stream === socket);
    // Only a server's refusal would make the client look for the masters again.
    if (found) client.refreshSlotsCache();
    return found;
  };
  const { make, slotOf, ready } = commandsOf(client, isReplica);

  const sendOnce: RedisExecutor["send"] = async (key, args, limit) => {
    await ready();
    const { command, again } = make(args, limit);
    // iovalkey finds the key only of names in small letters.
    const slot = slotOf(key);
    command.getSlot = () => slot;
    const fail = command.reject;
    client.sendCommand(command);
    // From here on, this is the client's own handler, which follows redirections, and repeats after a lost connection.
    const handle = command.reject;
    command.reject = (error) => {
      if (!hasCode(error, "MOVED", "ASK", "TRYAGAIN", "CLUSTERDOWN")) return fail(error);
      again();
      handle(error);
    };
    return replyTo(command);
  };

  /** Just after a lost connection, the client runs out of redirections in a few milliseconds. All were refusals. */
  const send: RedisExecutor["send"] = async (key, args, limit) => {
    for (;;)
      try {
        return await sendOnce(key, args, limit);
      } catch (error) {
        const isRefused = error instanceof Error && error.message.startsWith("Too many Cluster redirections");
        if (!isRefused || limit.isOver()) throw error;
        await setTimeout(PAUSE_MS);
      }
  };

  return {
    send,
    async pair(key, first, second, limit) {
      const sendBoth = () => {
        // The client puts the connection of the first command here, and takes it for the second.
        const node = { slot: slotOf(key), redis: undefined };
        return Promise.all(
          [first, second].map(async (args) => {
            const { command } = make(args, limit);
            client.sendCommand(command, undefined, node);
            return replyTo(command);
          }),
        );
      };
      await ready();
      for (let tries = REDIRECTIONS; ; tries--) {
        try {
          return await sendBoth();
        } catch (error) {
          // The key is elsewhere, and nothing was written. This teaches the client the place.
          if (tries === 0 || !hasCode(error, "MOVED", "ASK")) throw error;
          await send(key, ["EXISTS", key], limit);
        }
      }
    },
    async masters() {
      await ready();
      const nodes = client.nodes("master").map((node): RedisMaster => {
        const { host = "", port = 0 } = node.options;
        const { send: sendTo } = ioredis(node);
        return { address: `${host}:${port}`, send: (args, limit) => sendTo("", args, limit) };
      });
      return nodes.sort((a, b) => (a.address < b.address ? -1 : 1));
    },
  };
}
