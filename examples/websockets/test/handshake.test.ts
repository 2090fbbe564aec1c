import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { startShop, Visitor } from "./support.ts";

/** The status that an upgrade is answered with; 101 where it is made. */
async function upgrade(url: string, headers: Record<string, string>): Promise<number> {
  const socket = new WebSocket(url.replace("http", "ws"), { headers });
  onTestFinished(() => socket.terminate());
  socket.on("error", () => undefined);
  return new Promise((resolve) => {
    socket.once("open", () => resolve(101));
    socket.once("unexpected-response", (_request, { statusCode }) => resolve(statusCode ?? 0));
  });
}

const poll = async (url: string, headers: Record<string, string>): Promise<number> =>
  (await fetch(url, { headers })).status;

describe.each([
  { kind: "ws", path: "/live", ask: upgrade, welcome: 101 },
  {
    kind: "Socket.IO by websocket",
    path: "/socket.io/?EIO=4&transport=websocket",
    ask: upgrade,
    welcome: 101,
  },
  { kind: "Socket.IO by polling", path: "/socket.io/?EIO=4&transport=polling", ask: poll, welcome: 200 },
])("a handshake of $kind", ({ path, ask, welcome }) => {
  async function start(options?: Parameters<typeof startShop>[0]): Promise<{
    shop: Awaited<ReturnType<typeof startShop>>;
    visitor: Visitor;
    handshake(headers?: Record<string, string>): Promise<number>;
  }> {
    const shop = await startShop(options);
    const visitor = new Visitor(shop.url);
    await visitor.post("/cart", { item: "tea" });
    const { cookie = "" } = visitor;
    return { shop, visitor, handshake: (headers = {}) => ask(shop.url + path, { cookie, ...headers }) };
  }

  test("is accepted with the cookie of a live session, by one read and no write", async () => {
    // As if each use moved the expiry.
    const { shop, handshake } = await start({ touchEvery: 0 });
    shop.backend.calls = [];
    expect(await handshake()).toBe(welcome);
    expect(shop.backend.calls.filter((call) => call !== "load")).toEqual([]);
  });

  test("loses no turn of a rotated session: an upgrade has no response to send the new one with", async () => {
    let now = Date.now();
    const rotation = { every: "4m", grace: "2m" } as const;
    const { shop, visitor } = await start({ rotation, clock: () => now });
    await visitor.post("/login", { name: "Ada" });
    for (let n = 0; n < 10; n++) {
      now += 4 * 60_000;
      const { cookie = "" } = visitor;
      expect(ask === poll ? await visitor.get(path) : await ask(shop.url + path, { cookie })).toBe(welcome);
    }
    expect(await visitor.page()).toContain("Signed in as Ada");
  });

  test.each(["", "sid=nonsense", `sid=${"a".repeat(32)}.${"b".repeat(43)}`])(
    "without a session's cookie is refused: %j",
    async (cookie) => {
      const { handshake } = await start();
      expect(await handshake({ cookie })).toBe(401);
    },
  );

  test("after a logout is refused", async () => {
    const { visitor, handshake } = await start();
    await visitor.post("/logout");
    expect(await handshake()).toBe(401);
  });

  test("after the expiry is refused", async () => {
    let now = Date.now();
    const { handshake } = await start({ idle: "10m", clock: () => now });
    now += 10 * 60_000;
    expect(await handshake()).toBe(401);
  });

  test.each([
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { origin: "https://evil.example" },
    { origin: "http://localhost:1" },
    { origin: "null" },
  ])("from a page of another origin is refused, cookie or not: %j", async (headers) => {
    const { shop, handshake } = await start();
    shop.backend.calls = [];
    expect(await handshake(headers as Record<string, string>)).toBe(403);
    expect(shop.backend.calls).toEqual([]);
  });

  test("from our own pages is accepted", async () => {
    const { shop, handshake } = await start();
    expect(await handshake({ origin: shop.url })).toBe(welcome);
    expect(await handshake({ origin: shop.url, "sec-fetch-site": "same-origin" })).toBe(welcome);
  });

  test("while the backend is down is told so, and not that its session has ended", async () => {
    const { shop, handshake } = await start();
    shop.backend.down = true;
    expect(await handshake()).toBe(503);
    shop.backend.down = false;
    expect(await handshake()).toBe(welcome);
  });
});

test.each(["/live", "/socket.io/?EIO=4&transport=websocket"])(
  "a client that hangs up while it is judged harms nobody: %s",
  async (path) => {
    const { url, backend } = await startShop();
    const visitor = new Visitor(url);
    await visitor.post("/cart", { item: "tea" });
    const { hostname, port, host } = new URL(url);
    const socket = connect(Number(port), hostname);
    const headers = [
      `GET ${path} HTTP/1.1`,
      `Host: ${host}`,
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==",
      `Cookie: ${visitor.cookie}`,
    ];
    const judged = new Promise<void>((resolve) => {
      backend.afterLoad = async () => {
        backend.afterLoad = async () => undefined;
        socket.resetAndDestroy();
        await once(socket, "close");
        // Another visit goes all the way meanwhile: the server has seen the reset before this one.
        await new Visitor(url).post("/cart", { item: "honey" });
        resolve();
      };
    });
    socket.write(`${headers.join("\r\n")}\r\n\r\n`);
    await judged;
    expect(await visitor.page()).toContain("<li>tea</li>");
  },
);

test("an upgrade to anything else is refused", async () => {
  const { url } = await startShop();
  expect(await upgrade(`${url}/elsewhere`, {})).toBe(404);
});

test("a polling client's own id is no way around the handshake", async () => {
  const { url } = await startShop();
  for (const query of ["sid=", "sid=made-up", "sid=made-up&sid=", "sid=&sid=made-up"])
    expect(await poll(`${url}/socket.io/?EIO=4&transport=polling&${query}`, {})).toBeGreaterThanOrEqual(400);
});
