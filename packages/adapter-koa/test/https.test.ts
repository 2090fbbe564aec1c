import type { AddressInfo } from "node:net";
import { type Backend, createBackend } from "@sessions/adapter-conformance";
import { askOver, createServerOver, type Protocol } from "@sessions/adapter-tests";
import { createSessionManager } from "@sessions/core";
import Koa from "koa";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { sessionMiddleware } from "../src/index.ts";

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
  { proxy = false, headers = {} }: { proxy?: boolean; headers?: Record<string, string> } = {},
): Promise<Came> {
  const backend = createBackend();
  const errors: unknown[] = [];
  const app = new Koa({ proxy });
  app.on("error", (error) => errors.push(error));
  app.use(sessionMiddleware(createSessionManager({ driver: backend.driver })));
  app.use((ctx) => {
    ctx.session.store("app").set("n", 2);
    ctx.body = "done";
  });
  const server = createServerOver(protocol, app.callback());
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { ...(await askOver(protocol, (server.address() as AddressInfo).port, headers)), backend, errors };
}

test.each<[string, Parameters<typeof ask>]>([
  ["over TLS", ["https"]],
  [
    "behind a proxy that app.proxy trusts",
    ["http", { proxy: true, headers: { "x-forwarded-proto": "https" } }],
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
    ["http", { proxy: true, headers: { "x-forwarded-proto": "http" } }],
  ],
  ["with a header that app.proxy does not trust", ["http", { headers: { "x-forwarded-proto": "https" } }]],
])("%s the cookie needs no setting", async (_, how) => {
  const { status, cookies, errors } = await ask(...how);
  expect([status, cookies.length, errors]).toEqual([200, 1, []]);
});
