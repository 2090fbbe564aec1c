import { randomBytes } from "node:crypto";
import type { Driver, SessionManager, SessionManagerOptions } from "@sessions/core";
import { type Application, type Connect, connectHttp1, type Target } from "./kit.ts";
import { type Gate, type Peer, type PeerApplication, USER } from "./peer.ts";
import { type Lacks, type SeenSession, seenSession } from "./session.ts";

/** The paths of the requests by which a case makes and reads sessions. The case's handler does not see them. */
const OWN = "/_peers/";
const READ = `${OWN}read`;
const MAKE = `${OWN}make?`;

/** A server that the manager's stand-in reaches. */
interface Reached {
  url: string;
  destroy?: (id: string) => Promise<unknown>;
}

function gateOf(driver: Driver): Gate {
  const known = new Set<string>();
  const id = (): string => randomBytes(16).toString("hex");
  return {
    read: async () => void (await driver.load(id())),
    async write(key) {
      const now = Date.now();
      if (known.has(key)) await driver.commit(id(), { fields: new Map() }, now);
      else await driver.create(id(), { expiresAt: now + 60_000, fields: new Map() }, now);
      known.add(key);
    },
    async destroy(key) {
      await driver.destroy(id(), Date.now());
      known.delete(key);
    },
  };
}

/** What the kit's cases call of a manager, by requests to the library's server. */
function standIn(driver: Driver, options: SessionManagerOptions, connect: Connect, lacks: Lacks) {
  const reached: Reached = { url: "" };
  const ask = async (path: string, headers: Record<string, string>) => {
    const connection = connect(reached.url);
    try {
      return await connection.ask({ path, headers });
    } finally {
      connection.close();
    }
  };
  const sessions = {
    async open(cookie: string | undefined): Promise<SeenSession> {
      const values: Record<string, unknown> =
        cookie === undefined ? {} : JSON.parse((await ask(READ, { cookie })).text);
      const session = seenSession(
        {
          read: () => values,
          set: () => undefined,
          login: () => undefined,
          logout: () => lacks("ending a session without a request of its visitor"),
        },
        lacks,
      );
      const commit = async () => {
        const query = new URLSearchParams({ values: JSON.stringify(session.all()) });
        return { setCookie: (await ask(MAKE + query, {})).cookies.at(-1) };
      };
      return Object.assign(session, { commit });
    },
    destroy: (id: string) => (reached.destroy ?? (() => lacks("ending a session by its id")))(id),
    destroyAll: () => lacks("ending all sessions of a user"),
    // The cases look here for more than the cookies show. Not to look is in the library's favour.
    async *list() {},
  };
  return { reached, driver, options, sessions };
}

/** Of several cookies with one name in a response, a browser keeps the last. */
const asBrowser =
  (connect: Connect): Connect =>
  (url) => {
    const connection = connect(url);
    return {
      close: () => connection.close(),
      async ask(request) {
        const answer = await connection.ask(request);
        const last = new Map(answer.cookies.map((cookie) => [cookie.split("=")[0], cookie]));
        return { ...answer, cookies: [...last.values()] };
      },
    };
  };

/** A library as a target of the kit, and the manager's stand-in for it. */
export interface PeerTarget {
  readonly target: Target;
  readonly manage: (options?: SessionManagerOptions) => SessionManager;
  /** What the last case has asked for in vain. */
  readonly lacking: Set<string>;
}

export function peerTarget(peer: Peer): PeerTarget {
  const lacking = new Set<string>();
  const lacks: Lacks = (what) => {
    lacking.add(what);
    throw new Error(`There is no means for ${what}`);
  };
  const connect = asBrowser(peer.connect ?? connectHttp1);
  const made = new Map<object, ReturnType<typeof standIn>>();

  async function start(application: Application) {
    const its = made.get(application.sessions);
    if (!its) throw new Error("Only the manager's stand-in can be used");
    const { name = "sid", path, secure, sameSite } = its.options.cookie ?? {};
    const isOwn = (res: object): boolean => String(Object(res).req?.url).startsWith(OWN);
    const hearing =
      (mount: Application["before"]): PeerApplication["before"] =>
      (res, session) => {
        if (!isOwn(res)) mount(Object(res), () => session()?.asSession);
      };
    const server = await peer.start({
      gate: gateOf(its.driver),
      driver: its.driver,
      name,
      cookie: {
        ...(path !== undefined && { path }),
        ...(secure !== undefined && { secure }),
        ...(sameSite !== undefined && { sameSite }),
      },
      sessionOf: (means) => seenSession(means, lacks),
      async handle(session, method, url) {
        if (url.startsWith(MAKE)) {
          const values: object = JSON.parse(
            new URLSearchParams(url.slice(MAKE.length)).get("values") ?? "{}",
          );
          const { [USER]: user, ...others }: Record<string, unknown> = { ...values };
          // First the login, because some of them empty the session.
          if (typeof user === "string") session.login(user);
          for (const [key, value] of Object.entries(others)) session.store("app").set(key, value);
          await session.commit();
          return { body: "made" };
        }
        if (url.startsWith(OWN)) return { body: JSON.stringify(session.all()) };
        try {
          const reply = await application.handler({ session: session.asSession, method, url });
          const { body } = reply;
          return typeof body === "object" ? { ...reply, body: settled(body, session) } : reply;
        } finally {
          await session.settle();
        }
      },
      onError: application.onError,
      before: hearing(application.before),
      after: hearing(application.after),
    });
    its.reached.url = server.url;
    if (server.destroy) its.reached.destroy = server.destroy;
    return server;
  }

  return {
    lacking,
    target: { name: peer.name, abilities: peer.abilities, exclude: peer.apart, connect, start },
    manage(options = {}) {
      if (options.rotation) lacks("a periodic rotation of the cookie");
      if (!options.driver) throw new Error("The kit names a driver");
      const its = standIn(options.driver, options, connect, lacks);
      made.set(its.sessions, its);
      // The cases call no more of it than the stand-in has.
      return its.sessions as unknown as SessionManager;
    },
  };
}

/** A body whose handler awaits each of its steps. */
async function* settled(body: AsyncIterable<Uint8Array>, session: SeenSession): AsyncGenerator<Uint8Array> {
  for await (const piece of body) {
    await session.settle();
    yield piece;
  }
  await session.settle();
}
