import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { SessionManager, SessionManagerOptions } from "@sessions/core";
import express from "express";
import { describe, test } from "vitest";
import { cases } from "../../../adapter-conformance/src/cases/index.ts";
import { runCase } from "../../../adapter-conformance/src/kit.ts";
import type { Reply, Rule, Target } from "../../../adapter-conformance/src/target.ts";
import session, { type SessionMiddleware, sessionOf } from "../../src/index.ts";
import { secret } from "./support.ts";

const middlewares = new WeakMap<SessionManager, SessionMiddleware>();

/** The manager of a drop-in, in place of one of core. */
function manage({ driver, idle, cookie = {} }: SessionManagerOptions = {}): SessionManager {
  const { name = "sid", path, domain, secure, sameSite = "lax" } = cookie;
  const options = { path, domain, secure: secure ?? false, sameSite };
  const middleware = session({
    driver,
    secret,
    name,
    cookie: options,
    saveUninitialized: false,
    ...(idle && { idle }),
  });
  middlewares.set(middleware.sessions, middleware);
  return middleware.sessions;
}

async function answer(res: ServerResponse, { status, headers = {}, body, redirect }: Reply): Promise<void> {
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  if (redirect !== undefined) res.writeHead(303, { Location: redirect });
  else res.statusCode = status ?? 200;
  if (body === undefined || typeof body === "string") res.end(body);
  // A response that is cut also reports the error here.
  else await pipeline(Readable.from(body), res).catch(() => undefined);
}

const target: Target = {
  name: "the drop-in",
  abilities: ["streams", "node"],
  async start(application) {
    const middleware = middlewares.get(application.sessions);
    if (!middleware) throw new Error("a manager of another's making");
    const app = express();
    app.use((req, res, next) => {
      application.before(res, () => sessionOf(req));
      next();
    });
    app.use(middleware);
    app.use(async (req, res) => {
      application.after(res, () => sessionOf(req));
      const { method, url } = req;
      await answer(res, await application.handler({ session: sessionOf(req), method, url }));
    });
    app.use(((error, _req, res, _next) => {
      application.onError(error);
      res.statusCode = 500;
      res.end("error page");
    }) satisfies express.ErrorRequestHandler);
    const server = createServer(app);
    await once(server.listen(0, "127.0.0.1"), "listening");
    const address = server.address();
    return {
      url: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`,
      close() {
        server.closeAllConnections();
        server.close();
      },
    };
  },
};

/** What express-session's users rely on, and our own adapters do otherwise. */
const EXCLUDED: readonly { readonly rules: readonly Rule[]; readonly reason: string }[] = [
  {
    rules: ["H2.7", "H13.2"],
    reason: "there is a session only below the cookie's path, as with express-session",
  },
  { rules: ["H5.9"], reason: "express-session sends no Vary" },
  {
    rules: ["H6.1", "H6.2", "H6.3", "H6.4", "H6.5", "H6.6"],
    reason: "a request from another site may begin a session, as with express-session",
  },
  { rules: ["H9.1"], reason: "the cookie is Secure where the option says so, as with express-session" },
  { rules: ["H9.3"], reason: "a Secure cookie is only sent over https, as with express-session" },
  { rules: ["H12.2", "H12.3", "H12.4"], reason: "the middleware makes its manager itself" },
  { rules: ["H13.6"], reason: "express-session has no periodic rotation" },
  { rules: ["H14.1"], reason: "no option clock; cookies.test.ts shows it" },
];

describe("the promises of adapters, on core's side of the drop-in", () => {
  for (const one of cases) {
    const excluded = EXCLUDED.find(({ rules }) => rules.includes(one.rule));
    const title = `${one.rule} ${one.title}`;
    if (excluded) test.skip(`${title} (${excluded.reason})`);
    else
      test.skipIf(one.needs && !target.abilities?.includes(one.needs))(title, () =>
        runCase(target, one, manage as never),
      );
  }
});
