import { type Backend, createBackend } from "@sessions/adapter-conformance";
import { askOver, createServerOver, type Protocol } from "@sessions/adapter-tests";
import { createSessionManager } from "@sessions/core";
import createFastify from "fastify";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { sessionPlugin } from "../src/index.ts";

beforeAll(() => {
  // The environment must say nothing to the manager.
  vi.stubEnv("NODE_ENV", undefined);
});
afterAll(() => {
  vi.unstubAllEnvs();
});

interface Came {
  readonly status: number | undefined;
  readonly cookies: readonly string[];
  readonly backend: Backend;
  readonly errors: unknown[];
}

/** Sends a request to an application that writes. */
async function ask(
  protocol: Protocol,
  { trustProxy = false, headers = {} }: { trustProxy?: boolean; headers?: Record<string, string> } = {},
): Promise<Came> {
  const backend = createBackend();
  const errors: unknown[] = [];
  const app = createFastify({
    trustProxy,
    serverFactory: (handler) => createServerOver(protocol, handler),
  });
  onTestFinished(() => app.close());
  app.setErrorHandler((error, _request, reply) => {
    errors.push(error);
    return reply.code(500).send("error page");
  });
  app.register(sessionPlugin, { sessions: createSessionManager({ driver: backend.driver }) });
  app.get("/", async (request) => {
    request.session.store("app").set("n", 2);
    return "done";
  });
  const { port } = new URL(await app.listen({ port: 0, host: "127.0.0.1" }));
  return { ...(await askOver(protocol, Number(port), headers)), backend, errors };
}

test.each<[string, Parameters<typeof ask>]>([
  ["over TLS", ["https"]],
  [
    "behind a proxy that trustProxy names",
    ["http", { trustProxy: true, headers: { "x-forwarded-proto": "https" } }],
  ],
])("%s a new cookie is refused where nothing is set, and nothing is stored", async (_, how) => {
  const { status, cookies, backend, errors } = await ask(...how);
  expect([status, cookies, backend.calls]).toEqual([500, [], []]);
  expect(errors).toMatchObject([{ code: "ERR_SESSION_CONFIG" }]);
});

test.each<[string, Parameters<typeof ask>]>([
  ["over http", ["http"]],
  [
    "behind a trusted proxy that was asked over http",
    ["http", { trustProxy: true, headers: { "x-forwarded-proto": "http" } }],
  ],
  ["with a header that trustProxy does not trust", ["http", { headers: { "x-forwarded-proto": "https" } }]],
])("%s the cookie needs no setting", async (_, how) => {
  const { status, cookies, errors } = await ask(...how);
  expect([status, cookies.length, errors]).toEqual([200, 1, []]);
});
