import { isSessionError, type SessionManager } from "@sessions/core";
import { add, cart, written } from "./cart.ts";

/** What a socket is told. */
export type News = { readonly items: readonly string[] } | { readonly problem: string };

/** A socket, of whichever library. */
interface Connection {
  send(news: News): void;
  /** Closes it, and says that the session is why. */
  end(): void;
  /** Cuts it. */
  drop(): void;
}

/** How many messages of one socket may wait. One that sends more takes memory that others need. */
const MOST_WAITING = 100;

/** A socket's way to its session. */
interface Line {
  /** Does what a message asks for (`{ add: "tea" }`, or `{}` to have a look), and sends the cart. */
  receive(message: unknown): void;
  leave(): void;
}

/** The sockets of this process, by the session that they belong to. */
export interface Live {
  join(id: string, connection: Connection): Line;
  /** Closes a session's sockets if it has ended. */
  check(id: string): Promise<void>;
  stop(): void;
}

/** How the sockets learn that a session has ended: by an event, by a message, or at the latest after `checkEvery`. */
export function createLive(sessions: SessionManager, checkEvery: number): Live {
  const connections = new Map<string, Set<Connection>>();

  function end(id: string): void {
    for (const connection of connections.get(id) ?? []) connection.end();
  }

  // Ended in this process: at once. Ended in another: when a request here finds out.
  const removeDestroyed = sessions.on("destroyed", ({ id }) => end(id));
  const removeGone = sessions.on("gone", ({ id }) => end(id));

  async function check(id: string): Promise<void> {
    if (!connections.has(id)) return;
    // Down is not logged out: the next check will tell.
    const isLive = await sessions.valid(id).catch(() => true);
    if (!isLive) end(id);
  }

  // Sessions that ended in another process, or expired, while their sockets are silent: one read for each.
  let timer = setTimeout(checkAll, checkEvery).unref();
  let stopped = false;
  async function checkAll(): Promise<void> {
    for (const id of [...connections.keys()]) await check(id);
    if (!stopped) timer = setTimeout(checkAll, checkEvery).unref();
  }

  /** The session is read anew for each message: what other requests changed meanwhile is in it. */
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
        // One after another, as they came.
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
    // The session may have ended since the handshake, before anybody knew of this socket: a first look finds out.
    line.receive({});
    return line;
  }

  return {
    join,
    check,
    stop() {
      stopped = true;
      clearTimeout(timer);
      removeDestroyed();
      removeGone();
    },
  };
}
