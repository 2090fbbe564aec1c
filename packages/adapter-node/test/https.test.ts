import http from "node:http";
import http2 from "node:http2";
import https from "node:https";
import type { AddressInfo, Server } from "node:net";
import { createSessionManager, type Session, type SessionManagerOptions } from "@sessions/core";
import connect from "connect";
import express5 from "express";
import express4 from "express4";
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from "vitest";
import { openSession, sessionMiddleware } from "../src/index.ts";
import { type Certificate, makeCertificate } from "./certificate.ts";
import { type Backend, createBackend } from "./support.ts";

type Visited = http.IncomingMessage & { session: Session };
type Next = (error?: unknown) => void;
type Handler = (req: Visited, res: http.ServerResponse, next: Next) => void;

/** The parts of a test's server. */
interface Application {
  readonly sessions: ReturnType<typeof createSessionManager>;
  /** Reports an error to the test, and sends a 500. */
  readonly failed: (error: unknown, res: http.ServerResponse) => void;
  /** Express's `trust proxy`. */
  readonly trustProxy: boolean;
}

const write: Handler = (req, res) => {
  req.session.store<{ n: number }>("app").update("n", (n = 0) => n + 1);
  res.end(String(req.session.store("app").get("n")));
};

const chained =
  (create: () => { use(middleware: never): unknown } & http.RequestListener) =>
  ({ sessions, failed, trustProxy }: Application): http.RequestListener => {
    const app = create();
    if ("set" in app && typeof app.set === "function") app.set("trust proxy", trustProxy);
    app.use(sessionMiddleware(sessions) as never);
    app.use(write as never);
    app.use(((error: unknown, _req: unknown, res: http.ServerResponse, _next: Next) =>
      failed(error, res)) as never);
    return app;
  };

const frameworks: Record<string, (application: Application) => http.RequestListener> = {
  Connect: chained(connect as never),
  "Express 4": chained(express4 as never),
  "Express 5": chained(express5 as never),
  "node:http":
    ({ sessions, failed }) =>
    async (req, res) => {
      const onError = (error: unknown): void => failed(error, res);
      const session = await openSession(sessions, req, res, { onError });
      write(Object.assign(req, { session }), res, () => undefined);
    },
};
const express = ["Express 4", "Express 5"];

let keys: Certificate;
beforeAll(async () => {
  keys = await makeCertificate(["shop.example"]);
  // The environment must say nothing to the framework or to the manager.
  vi.stubEnv("NODE_ENV", undefined);
});
afterAll(() => {
  vi.unstubAllEnvs();
});

interface Running {
  readonly backend: Backend;
  readonly errors: unknown[];
  /** Sends a request as curl does, without Sec-Fetch-Site. */
  readonly ask: (headers?: http.OutgoingHttpHeaders) => Promise<Came>;
}
interface Came {
  readonly status: number | undefined;
  readonly cookies: readonly string[];
  readonly text: string;
}

async function run(
  framework: string,
  over: "http" | "https",
  { trustProxy = false, ...options }: SessionManagerOptions & { readonly trustProxy?: boolean } = {},
): Promise<Running> {
  const backend = createBackend();
  const sessions = createSessionManager({ driver: backend.driver, ...options });
  const errors: unknown[] = [];
  const failed = (error: unknown, res: http.ServerResponse): void => {
    errors.push(error);
    res.statusCode = 500;
    res.end("error page");
  };
  const listener = frameworks[framework]?.({ sessions, failed, trustProxy });
  if (!listener) throw new Error(`There is no ${framework}`);
  const server = over === "https" ? https.createServer(keys, listener) : http.createServer(listener);
  const port = await portOf(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    backend,
    errors,
    ask: (headers = {}) =>
      new Promise((resolve, reject) => {
        const given = { host: "shop.example", ...headers };
        const to = { host: "127.0.0.1", port, agent: false, headers: given };
        const req =
          over === "https"
            ? https.request({ ...to, ca: keys.cert, servername: "shop.example" })
            : http.request(to);
        req.on("error", reject);
        req.on("response", async (res) => {
          let text = "";
          for await (const chunk of res) text += String(chunk);
          resolve({ status: res.statusCode, cookies: res.headers["set-cookie"] ?? [], text });
        });
        req.end();
      }),
  };
}

async function portOf(server: Server | http2.Http2SecureServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

const expectRefused = ({ backend, errors }: Running, came: Came): void => {
  expect(came).toEqual({ status: 500, cookies: [], text: "error page" });
  expect(errors).toMatchObject([{ code: "ERR_SESSION_CONFIG" }]);
  expect(String(errors[0])).toMatch(/NODE_ENV=production.*cookie\.secure.*true.*false/);
  expect(backend.calls).toEqual([]);
};

describe.each(Object.keys(frameworks))("%s over a socket of TLS", (framework) => {
  test("refuses a new cookie where nothing is set, and stores nothing", async () => {
    const app = await run(framework, "https");
    expectRefused(app, await app.ask());
  });

  test("on localhost too, because the socket is encrypted", async () => {
    const app = await run(framework, "https");
    expectRefused(app, await app.ask({ host: "localhost" }));
  });

  test("goes on with a visitor who has a cookie", async () => {
    const plain = await run(framework, "http");
    const { cookies } = await plain.ask();
    expect(cookies).toEqual([expect.stringMatching(/^sid=(?!.*Secure)/)]);
    const app = await run(framework, "https", { driver: plain.backend.driver });
    const cookie = String(cookies).split(";")[0];
    expect(await app.ask({ cookie })).toEqual({ status: 200, cookies: [], text: "2" });
    expect(app.errors).toEqual([]);
  });

  test.each<[RegExp, SessionManagerOptions["cookie"]]>([
    [/^sid=.*; Secure/, { secure: true }],
    [/^__Host-sid=.*; Secure/, { secure: true, name: "__Host-sid" }],
    [/^sid=(?!.*Secure)/, { secure: false }],
  ])("hands out %s where it is meant", async (line, cookie) => {
    const app = await run(framework, "https", { cookie });
    const first = await app.ask();
    expect(first).toEqual({ status: 200, cookies: [expect.stringMatching(line)], text: "1" });
    const again = await app.ask({ cookie: String(first.cookies).split(";")[0] });
    expect([again.text, app.errors]).toEqual(["2", []]);
  });
});

describe.each(Object.keys(frameworks))("%s over a socket without TLS", (framework) => {
  test("needs no setting, at localhost and elsewhere", async () => {
    for (const host of ["localhost:3000", "192.168.1.7", "shop.example"]) {
      const app = await run(framework, "http");
      const { status, cookies } = await app.ask({ host });
      expect([host, status, cookies.length]).toEqual([host, 200, 1]);
    }
  });
});

describe.each(express)("%s behind a proxy that ends TLS", (framework) => {
  test("which it trusts, refuses a new cookie", async () => {
    const app = await run(framework, "http", { trustProxy: true });
    expectRefused(app, await app.ask({ "x-forwarded-proto": "https" }));
  });

  test.each([
    ["that it trusts, and that was asked over http", true, "http"],
    ["that says nothing", true, undefined],
    ["that it does not trust", false, "https"],
  ])("%s, needs no setting", async (_, trustProxy, proto) => {
    const app = await run(framework, "http", { trustProxy });
    const { status, cookies } = await app.ask(proto ? { "x-forwarded-proto": proto } : {});
    expect([status, cookies.length]).toEqual([200, 1]);
  });
});

test.each(["Connect", "node:http"])("%s trusts no proxy, and reads no header of one", async (framework) => {
  const app = await run(framework, "http", { trustProxy: true });
  const { status, cookies } = await app.ask({ "x-forwarded-proto": "https", forwarded: "proto=https" });
  expect([status, cookies.length]).toEqual([200, 1]);
});

test("HTTP/2 over TLS refuses a new cookie where nothing is set", async () => {
  const backend = createBackend();
  const sessions = createSessionManager({ driver: backend.driver });
  const errors: unknown[] = [];
  // They have the members that the adapter uses, but share no type with HTTP/1.
  const server = http2.createSecureServer(keys, async (asked, answer) => {
    const [req, res] = [asked, answer] as unknown as [http.IncomingMessage, http.ServerResponse];
    const session = await openSession(sessions, req, res, {
      onError(error) {
        errors.push(error);
        res.end("error page");
      },
    });
    write(Object.assign(req, { session }), res, () => undefined);
  });
  const port = await portOf(server);
  const client = http2.connect(`https://127.0.0.1:${port}`, { ca: keys.cert, servername: "shop.example" });
  onTestFinished(() => {
    client.destroy();
    server.close();
  });
  const stream = client.request({ ":authority": "shop.example" });
  const [headers] = await new Promise<[http2.IncomingHttpHeaders]>((resolve, reject) => {
    stream.on("response", (came) => resolve([came]));
    stream.on("error", reject);
  });
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  expect([headers[":status"], headers["set-cookie"], text]).toEqual([500, undefined, "error page"]);
  expect([errors, backend.calls]).toMatchObject([[{ code: "ERR_SESSION_CONFIG" }], []]);
});
