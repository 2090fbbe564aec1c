import { Readable } from "node:stream";
import { type Application, testAdapter } from "@sessions/adapter-conformance";
import createFastify, { type FastifyInstance } from "fastify";
import { describe, test } from "vitest";
import { sessionPlugin } from "../src/index.ts";

async function start(fastify: FastifyInstance, application: Application) {
  const { sessions, options, handler, before, after } = application;
  fastify.addHook("onRequest", async (request, reply) => before(reply.raw, () => request.session));
  await fastify.register(sessionPlugin, { sessions, ...options });
  fastify.addHook("onRequest", async (request, reply) => after(reply.raw, () => request.session));
  fastify.all("/*", async (request, reply) => {
    const { session, method, url } = request;
    const { status = 200, headers = {}, body, redirect } = await handler({ session, method, url });
    for (const [name, value] of Object.entries(headers)) reply.header(name, value);
    if (redirect !== undefined) return reply.redirect(redirect, 303);
    return reply.code(status).send(typeof body === "object" ? Readable.from(body) : body);
  });
  return { url: await fastify.listen({ port: 0, host: "127.0.0.1" }), close: () => fastify.close() };
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

const abilities = ["streams", "node", "touch", "vary"] as const;

describe("Fastify", () => {
  testAdapter({
    test,
    target: {
      name: "Fastify",
      abilities,
      start: (application) =>
        start(createFastify({ logger: loggerOf(application), forceCloseConnections: true }), application),
    },
  });
});

describe("Fastify over HTTP/2", () => {
  testAdapter({
    test,
    target: {
      name: "Fastify",
      abilities,
      http2: true,
      exclude: [
        {
          rule: "H7.7",
          reason: "over HTTP/2 Fastify ends such a stream like a complete one, with or without this plugin",
        },
      ],
      start(application) {
        const fastify = createFastify({
          http2: true,
          logger: loggerOf(application),
          forceCloseConnections: true,
        });
        // It has the members that the adapter uses, but shares no type with HTTP/1.
        return start(fastify as unknown as FastifyInstance, application);
      },
    },
  });
});
