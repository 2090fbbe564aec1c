import { SessionConfigError } from "@sessions/core";
import type { RedisExecutor, RedisMaster } from "../executor.ts";

/** A client of `@upstash/redis`: its methods are not used. */
export interface UpstashRedisLike {
  autoPipeline(): unknown;
  pipeline(): unknown;
}

const isObject = (value: unknown): value is Record<string, unknown> => Object(value) === value;

/** The address and the headers of the requests of a client. */
function requesterOf(client: object): { url: string; headers: Record<string, string> } {
  const requester: unknown = "client" in client ? client.client : undefined;
  const { baseUrl, headers }: Record<string, unknown> = isObject(requester) ? requester : {};
  const authorization = isObject(headers) ? headers["authorization"] : undefined;
  if (typeof baseUrl !== "string" || baseUrl === "" || typeof authorization !== "string")
    throw new SessionConfigError(
      "client must be made with a URL and a token: new Redis({ url, token }) of @upstash/redis",
    );
  return { url: baseUrl, headers: { authorization, "content-type": "application/json" } };
}

/**
 * Runs commands on the database of a client of `@upstash/redis`, by one HTTP request each, with the client's address and
 * token. The client's own requests do not fit: it repeats them up to five times, even a compare-and-set, reads texts as
 * JSON, and names the command in its errors.
 */
export function upstash(client: UpstashRedisLike): RedisExecutor {
  const { url, headers } = requesterOf(client);
  // What a global database has written is seen by the requests that carry this.
  let written = "";

  const send: RedisMaster["send"] = async (args, { signal }) => {
    const response = await fetch(url, {
      method: "POST",
      headers: { ...headers, "upstash-sync-token": written },
      body: JSON.stringify(args),
      signal: signal(),
    });
    written = response.headers.get("upstash-sync-token") ?? written;
    const body: unknown = await response.json().catch(() => undefined);
    if (isObject(body) && typeof body["error"] === "string") throw new Error(body["error"]);
    if (!response.ok || !isObject(body) || !("result" in body))
      throw new Error(`The answer is no reply of Redis: status ${response.status}`);
    return body["result"];
  };
  return {
    send: (_, args, limit) => send(args, limit),
    masters: async () => [{ address: "server", send }],
  };
}
