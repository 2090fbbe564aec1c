import { Readable } from "node:stream";
import { type Application, type Listener, listenTo, optionsOf, testHttpCases } from "@sessions/http-cases";
import createFastify, { type FastifyInstance } from "fastify";
import { describe, test } from "vitest";
import { sessionPlugin } from "../src/index.ts";

async function start(fastify: FastifyInstance, application: Application) {
  const { sessions, handler, listener } = application;
  const listen = (mounted: Listener["mounted"]): void => {
    if (listener?.mounted !== mounted) return;
    fastify.addHook("onRequest", async (request, reply) => {
      listenTo(reply.raw, listener, () => request.session);
    });
  };
  listen("before");
  await fastify.register(sessionPlugin, { sessions, ...optionsOf(application) });
  listen("after");
  fastify.all("/*", async (request, reply) => {
    const { session, method, url } = request;
    const { status = 200, headers = {}, body, redirect } = await handler({ session, method, url });
    for (const [name, value] of Object.entries(headers)) reply.header(name, value);
    if (redirect !== undefined) return reply.redirect(redirect, 303);
    return reply.code(status).send(typeof body === "object" ? Readable.from(body) : body);
  });
  const { port } = new URL(await fastify.listen({ port: 0, host: "127.0.0.1" }));
  return { port: Number(port), close: () => fastify.close() };
}

/** Fastify logs as an error what it replies 500 to, and what it cuts a connection for. */
const loggerOf = ({ onError }: Application) => ({
  level: "error",
  serializers: {
    err(error: Error) {
      onError(error);
      return { type: error.name, message: error.message, stack: error.stack ?? "" };
    },
  },
  stream: { write: () => undefined },
});

describe("Fastify", () => {
  testHttpCases({
    test,
    listens: true,
    exclude: [
      {
        title: "HTTP/2: a stream that fails after the headers is cut, and the next request is served",
        reason: "over HTTP/2 Fastify ends such a stream like a complete one, with or without this plugin",
      },
    ],
    start: (application) =>
      start(createFastify({ logger: loggerOf(application), forceCloseConnections: true }), application),
    http2(application) {
      const fastify = createFastify({
        http2: true,
        logger: loggerOf(application),
        forceCloseConnections: true,
      });
      // It has the members that the adapter uses, but shares no type with HTTP/1.
      return start(fastify as unknown as FastifyInstance, application);
    },
  });
});
