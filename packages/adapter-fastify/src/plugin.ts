import { openSession as openNodeSession } from "@sessions/adapter-node";
import type { Session, SessionManager } from "@sessions/core";
import {
  type Adopt,
  checkManager,
  checkOption,
  checkOptions,
  dropLogin,
  warnOfDroppedLogin,
} from "@sessions/core/adapter-tools";
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import fastifyPlugin from "fastify-plugin";
import { hideMessages, sendError } from "./error-page.ts";

/**
 * Options of {@link sessionPlugin}.
 *
 * @example
 * import type { SessionPluginOptions } from "@sessions/adapter-fastify";
 * import { createSessionManager } from "@sessions/core";
 *
 * export const options: SessionPluginOptions = {
 *   sessions: createSessionManager(),
 *   lazy: true, // handlers that need the session call openSession()
 *   touch: (request) => request.url !== "/poll", // polling does not keep a session alive
 * };
 */
export interface SessionPluginOptions {
  /** The result of `createSessionManager()`. */
  sessions: SessionManager;
  /**
   * Reads the session on the first `await openSession(sessions, request, reply)`, not before the handler runs. A
   * request that never calls it costs nothing. Until then `request.session` throws.
   * @default false
   */
  lazy?: boolean | undefined;
  /**
   * Takes over the sessions of another library, so that users stay logged in when a site moves:
   * `adoptExpressSession` of `@sessions/express-session`. Remove it once the old cookies have expired.
   * @default none
   */
  adopt?: Adopt | undefined;
  /**
   * Whether a request keeps the session alive: `(request) => request.url !== "/poll"` for polling.
   * @default () => true
   */
  touch?: ((request: FastifyRequest) => boolean) | undefined;
  /** Appends `Vary: Cookie` to a reply whose handler looked at the session. @default true */
  vary?: boolean | undefined;
}

const register: FastifyPluginAsync<SessionPluginOptions> = async (app, options) => {
  checkOptions("sessionPlugin", options, ["sessions", "lazy", "adopt", "touch", "vary"]);
  const { sessions, lazy = false } = options;
  checkManager("sessionPlugin", sessions);
  for (const name of ["adopt", "touch"] as const)
    checkOption(
      ["undefined", "function"].includes(typeof options[name]),
      `sessionPlugin: ${name}`,
      "a function",
      options[name],
    );
  app.addHook("onRoute", hideMessages);
  // An error handler may redirect. A login before the error must not count then.
  app.addHook("onError", async (request) => {
    const session = Object.getOwnPropertyDescriptor(request, "session")?.value;
    if (session && dropLogin(session)) warnOfDroppedLogin("an error");
  });
  // Fastify throws if another plugin also decorates requests with `session`.
  if (lazy) {
    app.decorateRequest("session", {
      getter(): Session {
        throw new TypeError(
          "request.session: the session is lazy and not open yet. Call await openSession(sessions, request, reply) first",
        );
      },
    });
    app.addHook("onRequest", async (request) => {
      lazyOptions.set(request, options);
    });
    return;
  }
  app.decorateRequest("session");
  app.addHook("onRequest", async (request, reply) => {
    try {
      request.session = await openAndHold(sessions, request, reply, options);
    } catch (error) {
      sendError(reply, error);
    }
  });
};

/** The options of the lazy plugin, for {@link openSession}. */
const lazyOptions = new WeakMap<FastifyRequest, SessionPluginOptions>();

/**
 * Plugin for Fastify 5. `request.session` is ready when the handler runs, for every route of the instance that it is
 * registered with. Every reply waits until its session is committed. Errors of the backend go to the error handler.
 *
 * Registration rejects with a `TypeError` if `sessions` is not a session manager, with a `SessionConfigError` for an
 * unknown option, and with Fastify's `FST_ERR_DEC_ALREADY_PRESENT` if the instance already has a session plugin.
 *
 * @example
 * import { sessionPlugin } from "@sessions/adapter-fastify";
 * import { createSessionManager } from "@sessions/core";
 * import createFastify from "fastify";
 *
 * const app = createFastify();
 * app.register(sessionPlugin, { sessions: createSessionManager() });
 * app.get("/", async (request) => {
 *   const visits = request.session.store<{ count: number }>("visits");
 *   return `Visit ${visits.update("count", (n = 0) => n + 1)}`;
 * });
 */
export const sessionPlugin: FastifyPluginAsync<SessionPluginOptions> = fastifyPlugin(register, {
  fastify: "5.x",
  name: "@sessions/adapter-fastify",
});

/**
 * Opens the request's session, for handlers behind {@link sessionPlugin} with `lazy: true`. Every call for one request
 * returns the same session. From the first call on, the reply waits for the commit.
 *
 * @throws What `SessionManager.open` throws, as all errors here by rejecting.
 * @throws SessionError with the code `ERR_SESSION_HEADERS_SENT` if the reply's headers are already sent.
 * @throws TypeError if another manager opened the request's session.
 *
 * @example
 * import { openSession, sessionPlugin } from "@sessions/adapter-fastify";
 * import { createSessionManager } from "@sessions/core";
 * import createFastify from "fastify";
 *
 * const sessions = createSessionManager();
 * const app = createFastify();
 * app.register(sessionPlugin, { sessions, lazy: true });
 * app.get("/", async (request, reply) => {
 *   const session = await openSession(sessions, request, reply);
 *   return session.principal ?? "guest";
 * });
 */
export async function openSession(
  sessions: SessionManager,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Session> {
  const session = await openAndHold(sessions, request, reply, lazyOptions.get(request) ?? {});
  // Replaces the getter of a lazy plugin.
  Object.defineProperty(request, "session", { value: session, configurable: true });
  return session;
}

function openAndHold(
  sessions: SessionManager,
  request: FastifyRequest,
  reply: FastifyReply,
  { adopt, touch, vary }: Partial<SessionPluginOptions>,
): Promise<Session> {
  const before = headersOf(reply);
  return openNodeSession(sessions, request.raw, reply.raw, {
    adopt,
    vary,
    touch: touch && (() => touch(request)),
    // Fastify knows it from the proxies that the application trusts.
    https: request.protocol === "https",
    onError: (error) => replyWithError(reply, error, before),
  });
}

type Headers = ReadonlyMap<string, number | string | readonly string[]>;

function headersOf(reply: FastifyReply): Headers {
  const headers = new Map<string, number | string | readonly string[]>();
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    // A copy, because reply.header("Set-Cookie") grows the list in place.
    if (value !== undefined) headers.set(name, Array.isArray(value) ? [...value] : value);
  }
  return headers;
}

/** Sends an error page in place of a reply whose commit failed. */
function replyWithError(reply: FastifyReply, error: unknown, before: Headers): void {
  const { raw, log } = reply;
  if (raw.headersSent) {
    log.error({ err: error }, "The session could not be committed, and the connection was cut");
    return;
  }
  // The reply was hijacked, so Fastify would send nothing.
  if (reply.sent) {
    log.error({ err: error }, "The session of a hijacked reply could not be committed");
    raw.setHeader("Content-Type", "text/plain; charset=utf-8");
    raw.end("Internal Server Error");
    return;
  }
  // Node's headers are as they were before; Fastify keeps a second set, with the handler's.
  for (const name of Object.keys(reply.getHeaders())) reply.removeHeader(name);
  for (const [name, value] of before) reply.header(name, value);
  sendError(reply, error);
}
