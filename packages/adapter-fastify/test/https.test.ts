import http from "node:http";
import https from "node:https";
import { createSessionManager } from "@sessions/core";
import { type Backend, createBackend } from "@sessions/http-cases";
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

/** A key that both ends share, for TLS without a certificate. */
const psk = Buffer.alloc(16, 1);
const SHARED = { ciphers: "PSK", maxVersion: "TLSv1.2" } as const;

/** Sends a request to an application that writes, as curl does: without Sec-Fetch-Site. */
async function ask(
  over: "http" | "https",
  { trustProxy = false, headers = {} }: { trustProxy?: boolean; headers?: Record<string, string> } = {},
): Promise<Came> {
  const backend = createBackend();
  const errors: unknown[] = [];
  const app = createFastify({
    trustProxy,
    serverFactory: (handler) =>
      over === "https"
        ? https.createServer({ ...SHARED, pskCallback: () => psk }, handler)
        : http.createServer(handler),
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
  const to = {
    host: "127.0.0.1",
    port,
    headers: { host: "shop.example", ...headers },
  };
  const agent = new https.Agent({
    ...SHARED,
    pskCallback: () => ({ psk, identity: "test" }),
    checkServerIdentity: () => undefined,
  });
  return new Promise((resolve, reject) => {
    const request = over === "https" ? https.request({ ...to, agent }) : http.request(to);
    request.on("error", reject);
    request.on("response", (response) => {
      response.resume();
      const { statusCode: status, headers } = response;
      response.on("end", () => resolve({ status, cookies: headers["set-cookie"] ?? [], backend, errors }));
    });
    request.end();
  });
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
