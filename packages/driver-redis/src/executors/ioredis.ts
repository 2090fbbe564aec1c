import { SessionConfigError } from "@sessions/core";
import type { RedisExecutor, RedisMaster, RedisTimeLimit } from "../executor.ts";
import { commandsOf, replyTo } from "./ioredis-command.ts";
import type { IoredisLike } from "./ioredis-like.ts";

/**
 * Runs commands on a client of ioredis or iovalkey.
 *
 * @throws SessionConfigError where the client has subscribed, or reads from a replica.
 */
export function ioredis(client: IoredisLike): RedisExecutor {
  const { mode = "normal" } = client;
  if (mode !== "normal")
    throw new SessionConfigError(
      `client must be one that sends commands, and this one is a ${mode}: give the driver client.duplicate()`,
    );
  const { role, readOnly }: { role?: unknown; readOnly?: unknown } = client.options;
  if (role === "slave" || readOnly === true)
    throw new SessionConfigError(
      "client must be one of a master, and this one is set to a replica: make it without role and readOnly",
    );
  const { make, ready } = commandsOf(client);
  const sendAll = async (limit: RedisTimeLimit, ...commands: string[][]) => {
    await ready();
    return Promise.all(
      commands.map(async (args) => {
        const { command } = make(args, limit);
        client.sendCommand(command);
        return replyTo(command);
      }),
    );
  };
  const send: RedisMaster["send"] = async (args, limit) => (await sendAll(limit, args))[0];
  return {
    send: (_, args, limit) => send(args, limit),
    pair: (_, first, second, limit) => sendAll(limit, first, second),
    masters: async () => [{ address: "server", send }],
  };
}
