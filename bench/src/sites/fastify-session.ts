import cookiePlugin from "@fastify/cookie";
import sessionPlugin, { type SessionStore } from "@fastify/session";
import createFastify, { type FastifyRequest } from "fastify";
import { openStore } from "./peer-stores.ts";
import { answer, type OpenSite, type Visit } from "./routes.ts";

// Its types extend those of fastify only if the package manager happens to put fastify beside it.
interface FastifySession extends Record<string, unknown> {
  regenerate(): Promise<void>;
  destroy(): Promise<void>;
}

/** A request's session. The application chooses its keys. */
function visitOf(request: FastifyRequest): Visit {
  const values = (): FastifySession => Object(request).session;
  return {
    get: (key) => values()[key],
    set(key, value) {
      values()[key] = value;
    },
    increment(key) {
      values()[key] = Number(values()[key] ?? 0) + 1;
    },
    entries() {
      const { cookie: _, ...entries } = values();
      return entries;
    },
    async login(user) {
      await values().regenerate();
      values()["user"] = user;
    },
    logout: () => values().destroy(),
  };
}

export const open: OpenSite = async ({ keeping, url }) => {
  const { store, close } = await openStore(keeping, url);
  const app = createFastify();
  await app.register(cookiePlugin);
  await app.register(sessionPlugin, {
    secret: "a secret of the bench's own, and long enough",
    // All other settings are defaults, but this server speaks http.
    cookie: { secure: false },
    // Without a store it uses its own. Its types differ from those of express-session's stores.
    ...(keeping !== "memory" && { store: store as unknown as SessionStore }),
  });
  app.all("/*", (request) => answer(request.url, visitOf(request)));
  await app.ready();
  return { server: app.server, close };
};
