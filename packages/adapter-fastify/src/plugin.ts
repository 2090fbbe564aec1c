import { openSession as openNodeSession } from "@sessions/adapter-node";
import type { Session, SessionManager } from "@sessions/core";
import { checkOption, checkOptions, dropLogin, warnOfDroppedLogin } from "@sessions/core/adapter-tools";
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import fastifyPlugin from "fastify-plugin";
import { hideMessages, sendError } from "./error-page.ts";

/** Options of `sessionPlugin`. */
export interface SessionPluginOptions {
  /** What `createSessionManager()` returned. */
  sessions: SessionManager;
  /**
   * Reads the session on the first `await openSession(sessions, request, reply)`, and not before the handler runs:
   * requests that never ask cost nothing. Until then `request.session` throws.
   * @default false
   */
  lazy?: boolean | undefined;
  /** Whether a request keeps the session alive; `(request) => request.url !== "/poll"` for polling. @default () => true */
  touch?: ((request: FastifyRequest) => boolean) | undefined;
  /** Appends `Vary: Cookie` to a reply whose handler looked at the session. @default true */
  vary?: boolean | undefined;
}

const register: FastifyPluginAsync<SessionPluginOptions> = async (app, options) => {
  checkOptions("sessionPlugin", options, ["sessions", "lazy", "touch", "vary"]);
  const { sessions, lazy = false, touch } = options;
  if (typeof sessions?.open !== "function")
    throw new TypeError("sessionPlugin needs { sessions }: what createSessionManager() returns");
  checkOption(["undefined", "function"].includes(typeof touch), "touch", "a function", touch);
  app.addHook("onRoute", hideMessages);
  // An error handler may answer with a redirect: the login that led to the error does not count.
  app.addHook("onError", async (request) => {
    const session = Object.getOwnPropertyDescriptor(request, "session")?.value;
    if (session && dropLogin(session)) warnOfDroppedLogin("an error");
  });
  // Fastify refuses whatever else decorates requests with a session, or has done so.
  if (lazy) {
    app.decorateRequest("session", {
      getter(): Session {
        throw new TypeError(
          "request.session is lazy here: await openSession(sessions, request, reply) first",
        );
      },
    });
    app.addHook("onRequest", async (request) => {
      given.set(request, options);
    });
    return;
  }
  app.decorateRequest("session");
  app.addHook("onRequest", async (request, reply) => {
    try {
      request.session = await open(sessions, request, reply, options);
    } catch (error) {
      sendError(reply, error);
    }
  });
};

/** The options of a lazy plugin that a request came through. */
const given = new WeakMap<FastifyRequest, SessionPluginOptions>();

/**
 * Plugin for Fastify 5: `request.session` is ready when the handler runs, for every route of the instance that it is
 * registered with, and every reply waits until the session is committed. Errors of the backend go to the error handler.
 * Registration rejects with a `TypeError` if `sessions` is no manager.
 */
export const sessionPlugin: FastifyPluginAsync<SessionPluginOptions> = fastifyPlugin(register, {
  fastify: "5.x",
  name: "@sessions/adapter-fastify",
});

/**
 * The request's session, the same one however often it is called. For handlers behind `sessionPlugin` with
 * `lazy: true`. From the first call on the reply waits for the commit.
 *
 * Rejects with what `SessionManager.open` rejects with, with `ERR_SESSION_HEADERS_SENT` where the reply's headers went
 * out before the first call, and with a `TypeError` where another manager opened the request's session.
 */
export async function openSession(
  sessions: SessionManager,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Session> {
  const session = await open(sessions, request, reply, given.get(request) ?? {});
  // Where it is lazy, a getter stands there.
  Object.defineProperty(request, "session", { value: session, configurable: true });
  return session;
}

function open(
  sessions: SessionManager,
  request: FastifyRequest,
  reply: FastifyReply,
  { touch, vary }: Partial<SessionPluginOptions>,
): Promise<Session> {
  const before = headersOf(reply);
  return openNodeSession(sessions, request.raw, reply.raw, {
    vary,
    touch: touch && (() => touch(request)),
    // By the proxies that the application trusts.
    https: request.protocol === "https",
    onError: (error) => answer(reply, error, before),
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

/** Lets Fastify answer in place of a reply whose commit failed. */
function answer(reply: FastifyReply, error: unknown, before: Headers): void {
  const { raw, log } = reply;
  if (raw.headersSent) {
    log.error({ err: error }, "The session could not be committed, and the connection was cut");
    return;
  }
  // It is not over, so it was hijacked: Fastify would not answer.
  if (reply.sent) {
    log.error({ err: error }, "The session of a hijacked reply could not be committed");
    raw.setHeader("Content-Type", "text/plain; charset=utf-8");
    raw.end("Internal Server Error");
    return;
  }
  // Fastify keeps the handler's headers beside Node's, which are as they were before.
  for (const name of Object.keys(reply.getHeaders())) reply.removeHeader(name);
  for (const [name, value] of before) reply.header(name, value);
  sendError(reply, error);
}
