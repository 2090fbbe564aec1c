import { isSessionError, type SessionManager } from "@sessions/core";
import { add, cart, written } from "./cart.ts";

/** A message to a socket. */
export type News = { readonly items: readonly string[] } | { readonly problem: string };

/** A socket of either library. */
interface Connection {
  send(news: News): void;
  /** Closes the socket, and names the session as the reason. */
  end(): void;
  /** Cuts the connection. */
  drop(): void;
}

/** How many messages of one socket may wait. More would take memory from others. */
const MOST_WAITING = 100;

/** A socket's access to its session. */
interface Line {
  /** Handles a message (`{ add: "tea" }`, or `{}` to look), and sends the cart. */
  receive(message: unknown): void;
  leave(): void;
}

/** The sockets of this process, by session. */
export interface Live {
  join(id: string, connection: Connection): Line;
  stop(): void;
}

/** Closes the sockets of ended sessions: after an event, at a message, or after `checkEvery` at the latest. */
export function createLive(sessions: SessionManager, checkEvery: number): Live {
  const connections = new Map<string, Set<Connection>>();

  function end(id: string): void {
    for (const connection of connections.get(id) ?? []) connection.end();
  }

  // An end in this process comes at once. An end in another one comes when a request here finds out.
  const removeDestroyed = sessions.on("destroyed", ({ id }) => end(id));
  // The new session has a new id. Do not carry the sockets over: a thief may have opened one with a copied cookie.
  const removeRotated = sessions.on("rotated", ({ id, previousId }) => {
    if (id !== previousId) end(previousId);
  });
  const removeGone = sessions.on("gone", ({ id }) => end(id));

  async function check(id: string): Promise<void> {
    if (!connections.has(id)) return;
    // Down is not logged out: wait for the next check.
    const isLive = await sessions.valid(id).catch(() => true);
    if (!isLive) end(id);
  }

  // Finds sessions that expired, or ended in another process, while their sockets are silent. Each costs one read.
  let timer = setTimeout(checkAll, checkEvery).unref();
  let stopped = false;
  async function checkAll(): Promise<void> {
    for (const id of [...connections.keys()]) await check(id);
    if (!stopped) timer = setTimeout(checkAll, checkEvery).unref();
  }

  /** Reads the session again for each message, so it has the changes of other requests. */
  async function answer(id: string, message: unknown): Promise<News | undefined> {
    const session = await sessions.get(id);
    if (!session) return undefined;
    add(session, written(message, "add"));
    const { status } = await session.commit();
    return status === "gone" ? undefined : { items: session.store(cart).get("items") ?? [] };
  }

  function join(id: string, connection: Connection): Line {
    const siblings = connections.get(id) ?? new Set();
    connections.set(id, siblings.add(connection));
    let last = Promise.resolve();
    let waiting = 0;

    async function respond(message: unknown): Promise<void> {
      try {
        const news = await answer(id, message);
        if (news) connection.send(news);
        else connection.end();
      } catch (error) {
        if (!isSessionError(error)) console.error(error);
        const isFull = isSessionError(error, "ERR_SESSION_TOO_LARGE");
        connection.send({ problem: isFull ? "Your cart is full." : "That did not work. Try again." });
      }
    }
    const line: Line = {
      receive(message) {
        if (waiting >= MOST_WAITING) {
          connection.drop();
          return;
        }
        waiting++;
        // One after the other, in the order of arrival.
        last = last.then(async () => {
          await respond(message);
          waiting--;
        });
      },
      leave() {
        siblings.delete(connection);
        if (siblings.size === 0 && connections.get(id) === siblings) connections.delete(id);
      },
    };
    // The session may have ended after the handshake and before this socket was registered, so look once now.
    line.receive({});
    return line;
  }

  return {
    join,
    stop() {
      stopped = true;
      clearTimeout(timer);
      removeDestroyed();
      removeRotated();
      removeGone();
    },
  };
}
