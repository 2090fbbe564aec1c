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
  const sendNow = (args: string[], limit: RedisTimeLimit): Promise<unknown> => {
    const { command } = make(args, limit);
    client.sendCommand(command);
    return replyTo(command);
  };
  // Every await costs as much as a part of the client's own work, so there is none where the client is ready.
  const send: RedisMaster["send"] = (args, limit) =>
    client.status === "ready" ? sendNow(args, limit) : ready().then(() => sendNow(args, limit));
  return {
    send: (_, args, limit) => send(args, limit),
    async pair(_, first, second, limit) {
      await ready();
      return Promise.all([sendNow(first, limit), sendNow(second, limit)]);
    },
    masters: async () => [{ address: "server", send }],
  };
}
