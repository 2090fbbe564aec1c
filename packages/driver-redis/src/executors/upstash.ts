import { SessionConfigError } from "@sessions/core";
import type { RedisExecutor, RedisMaster } from "../executor.ts";

/** The few members of `@upstash/redis` that the driver uses, beside the address and the token that it was made with. */
export interface UpstashRedisLike {
  /** What the replicas of a global database must have, so that a request sees earlier writes. */
  readYourWritesSyncToken: string | undefined;
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
  const send: RedisMaster["send"] = async (args, { signal }) => {
    const response = await fetch(url, {
      method: "POST",
      headers: { ...headers, "upstash-sync-token": client.readYourWritesSyncToken ?? "" },
      body: JSON.stringify(args),
      signal: signal(),
    });
    const written = response.headers.get("upstash-sync-token");
    if (written !== null) client.readYourWritesSyncToken = written;
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
