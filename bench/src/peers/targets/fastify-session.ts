import { Readable } from "node:stream";
import cookiePlugin from "@fastify/cookie";
import sessionPlugin, { type SessionStore } from "@fastify/session";
import { RedisStore } from "connect-redis";
import createFastify, { type FastifyReply, type FastifyRequest } from "fastify";
import { EVERYWHERE, IN_STORE, type Means, type Peer, USER } from "../peer.ts";
import type { SeenSession } from "../session.ts";
import { gatedRedis, type Redis } from "./redis.ts";

// Its types extend those of fastify only if the package manager happens to put fastify beside it.
interface FastifySession extends Record<string, unknown> {
  readonly sessionId: string;
  regenerate(keep?: string[]): Promise<void>;
  save(): Promise<void>;
  destroy(): Promise<void>;
}

/** The places are headings of the README of @fastify/session. */
function meansOf(request: FastifyRequest, reply: FastifyReply): Means {
  const session = (): FastifySession => Object(request).session;
  const read = (): Record<string, unknown> => {
    const { cookie: _, ...values } = session();
    return values;
  };
  // "Session#regenerate([ignoreFields, ]callback)": "an array of fields that should be kept"
  const rotate = (): Promise<void> => session().regenerate(Object.keys(read()));
  return {
    id: session().sessionId,
    read: () => Object.fromEntries(Object.entries(read()).filter(([key]) => key !== "sessionId")),
    // "Usage". The end of the response saves; what comes later calls "Session#save(callback)".
    set(key, value) {
      session()[key] = value;
      return reply.raw.writableEnded || reply.raw.destroyed ? session().save() : undefined;
    },
    async login(user) {
      await rotate();
      session()[USER] = user;
    },
    // "Session#destroy(callback)"
    logout: () => Object(request).session?.destroy(),
    rotate,
    save: () => session().save(),
  };
}

export const fastifySessionPeer = (redis: Redis): Peer => ({
  name: "@fastify/session + connect-redis",
  packages: ["@fastify/session", "@fastify/cookie", "connect-redis", "fastify"],
  abilities: ["streams", "node"],
  apart: [...EVERYWHERE, ...IN_STORE],
  async start({ gate, name, cookie, sessionOf, handle, onError, before, after }) {
    const { client, prefix, clear } = gatedRedis(redis, gate);
    const store = new RedisStore({ client, prefix });
    const seen = new WeakMap<FastifyRequest, SeenSession>();
    const app = createFastify({ forceCloseConnections: true });
    app.addHook("onRequest", async (request, reply) => before(reply.raw, () => seen.get(request)));
    await app.register(cookiePlugin);
    await app.register(sessionPlugin, {
      secret: "a secret of the bench's own, and long enough",
      cookieName: name,
      // "cookie": "auto" fits http and https. "saveUninitialized": false for the EU cookie law.
      cookie: { secure: "auto", ...cookie },
      saveUninitialized: false,
      // "store": those of express-session fit, but their types differ.
      store: store as unknown as SessionStore,
    });
    app.addHook("onRequest", async (request, reply) => {
      seen.set(request, sessionOf(meansOf(request, reply)));
      after(reply.raw, () => seen.get(request));
    });
    // Fastify reports the error again if the error page cannot be sent either.
    const reported = new WeakSet<FastifyRequest>();
    app.addHook("onError", async (request, _reply, error) => {
      if (!reported.has(request)) onError(error);
      reported.add(request);
    });
    app.all("/*", async (request, reply) => {
      const session = seen.get(request);
      if (!session) throw new Error("the session is not ready");
      const {
        status = 200,
        headers = {},
        body,
        redirect,
      } = await handle(session, request.method, request.url);
      for (const [name, value] of Object.entries(headers)) reply.header(name, value);
      if (redirect !== undefined) return reply.redirect(redirect, 303);
      return reply.code(status).send(typeof body === "object" ? Readable.from(body) : body);
    });
    return {
      url: await app.listen({ port: 0, host: "127.0.0.1" }),
      async close() {
        await app.close();
        await clear();
      },
      destroy: (id: string) => store.destroy(id),
    };
  },
});
