import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { type Client, libraries, startShop, Visitor } from "./support.ts";

const idOf = (cookie: string | undefined): string => /=([0-9a-f]{32})/.exec(cookie ?? "")?.[1] ?? "";

describe.each(Object.entries(libraries))("by %s", (_, connect) => {
  /** A visitor with tea in the cart, and a socket that has shown it. */
  async function visit(url: string): Promise<{ visitor: Visitor; client: Client }> {
    const visitor = new Visitor(url);
    await visitor.post("/cart", { item: "tea" });
    const client = connect(url, visitor.cookie);
    expect(await client.next()).toEqual({ items: ["tea"] });
    return { visitor, client };
  }

  describe("a socket", () => {
    test("reads and changes the session of its page", async () => {
      const { visitor, client } = await visit((await startShop()).url);
      client.send({ add: "honey" });
      expect(await client.next()).toEqual({ items: ["tea", "honey"] });
      expect(await visitor.page()).toContain("<li>tea</li><li>honey</li>");
    });

    test("sees at its next message what a page changed meanwhile", async () => {
      const { visitor, client } = await visit((await startShop()).url);
      await visitor.post("/cart", { item: "honey" });
      client.send({});
      expect(await client.next()).toEqual({ items: ["tea", "honey"] });
    });

    test("is answered in the order of its messages, though a read may take longer than the next", async () => {
      const { url, backend } = await startShop();
      const { client } = await visit(url);
      backend.afterLoad = async () => {
        backend.afterLoad = async () => undefined;
        for (let turn = 0; turn < 100; turn++) await setImmediate();
      };
      client.send({ add: "honey" });
      client.send({ add: "pears" });
      expect(await client.next()).toEqual({ items: ["tea", "honey"] });
      expect(await client.next()).toEqual({ items: ["tea", "honey", "pears"] });
    });

    test("loses nothing of what others add at the same time", async () => {
      const { url } = await startShop();
      const { visitor, client } = await visit(url);
      const other = connect(url, visitor.cookie);
      await other.next();
      const counts = Array.from({ length: 10 }, (_, n) => n);
      for (const n of counts) {
        client.send({ add: `mine ${n}` });
        other.send({ add: `other ${n}` });
      }
      await Promise.all(counts.map((n) => visitor.post("/cart", { item: `page ${n}` })));
      for (const _ of counts) {
        await client.next();
        await other.next();
      }
      client.send({});
      const news = await client.next();
      const items = "items" in news ? news.items : [];
      expect(items).toHaveLength(31);
      for (const whose of ["mine", "other"])
        expect(items.filter((item) => item.startsWith(whose))).toEqual(counts.map((n) => `${whose} ${n}`));
    });

    test("takes nonsense for a look", async () => {
      const { client } = await visit((await startShop()).url);
      for (const nonsense of ["add", 7, null, [], { add: 7 }, { add: "" }, { add: "x".repeat(51) }]) {
        client.send(nonsense);
        expect(await client.next()).toEqual({ items: ["tea"] });
      }
    });

    test("does not keep its session alive: only requests do", async () => {
      let now = Date.now();
      const shop = await startShop({ idle: "10m", touchEvery: "1m", clock: () => now });
      const { visitor, client } = await visit(shop.url);
      now += 5 * 60_000;
      await visitor.page();
      now += 9 * 60_000;
      client.send({ add: "honey" });
      expect(await client.next()).toEqual({ items: ["tea", "honey"] });
      now += 60_000;
      client.send({});
      expect(await client.closed).toBe("ended");
    });
  });

  describe("a session that ends in this process closes its sockets at once", () => {
    test("by a logout on another page, and nobody else's", async () => {
      const { url } = await startShop();
      const { visitor, client } = await visit(url);
      const stranger = await visit(url);
      await visitor.post("/logout");
      expect(await client.closed).toBe("ended");
      stranger.client.send({ add: "honey" });
      expect(await stranger.client.next()).toEqual({ items: ["tea", "honey"] });
    });

    test("by an administrator", async () => {
      const { url, sessions } = await startShop();
      const { visitor, client } = await visit(url);
      await sessions.destroy(idOf(visitor.cookie));
      expect(await client.closed).toBe("ended");
    });

    test("by a login: the session goes on under a new id, and the page connects again", async () => {
      const { url } = await startShop();
      const { visitor, client } = await visit(url);
      const copied = visitor.cookie;
      await visitor.post("/login", { name: "Ada" });
      expect(await client.closed).toBe("ended");

      const again = connect(url, visitor.cookie);
      expect(await again.next()).toEqual({ items: ["tea"] });
      expect(await connect(url, copied).closed).toBe("other");
    });
  });

  describe("a session that ends elsewhere closes its sockets", () => {
    test("at their next message, which does nothing", async () => {
      const { url, elsewhere, backend } = await startShop();
      const { visitor, client } = await visit(url);
      await (await elsewhere.open(visitor.cookie)).logout();
      backend.calls = [];
      client.send({ add: "honey" });
      expect(await client.closed).toBe("ended");
      expect(backend.calls).toEqual(["load"]);
    });

    test("when a request here finds out", async () => {
      const { url, elsewhere, sessions } = await startShop();
      const { visitor, client } = await visit(url);
      const request = await sessions.open(visitor.cookie);
      await (await elsewhere.open(visitor.cookie)).logout();
      request.store("other").set("key", "late");
      expect((await request.commit()).status).toBe("gone");
      expect(await client.closed).toBe("ended");
    });

    test("at the next check, though they are silent", async () => {
      const { url, elsewhere } = await startShop({ checkEvery: 20 });
      const { visitor, client } = await visit(url);
      await (await elsewhere.open(visitor.cookie)).logout();
      expect(await client.closed).toBe("ended");
    });

    test("while the handshake is under way", async () => {
      const { url, elsewhere, backend } = await startShop();
      const visitor = new Visitor(url);
      await visitor.post("/cart", { item: "tea" });
      // It ends after the handshake has read it, and before anybody knows of the socket.
      backend.afterLoad = async () => {
        backend.afterLoad = async () => undefined;
        await (await elsewhere.open(visitor.cookie)).logout();
      };
      expect(await connect(url, visitor.cookie).closed).toBe("ended");
    });
  });

  test("an expired session closes its sockets at the next check", async () => {
    let now = Date.now();
    const { url } = await startShop({ checkEvery: 20, idle: "10m", clock: () => now });
    const { client } = await visit(url);
    now += 10 * 60_000;
    expect(await client.closed).toBe("ended");
  });

  test("a backend that is down is no logout: the message fails, the socket stays", async () => {
    const { url, backend } = await startShop({ checkEvery: 20 });
    const { client } = await visit(url);
    backend.down = true;
    client.send({ add: "honey" });
    expect(await client.next()).toHaveProperty("problem");
    // The checks go on meanwhile, and find nothing out either.
    backend.calls = [];
    client.send({ add: "honey" });
    expect(await client.next()).toHaveProperty("problem");
    await expect.poll(() => backend.calls.length, { timeout: 20_000 }).toBeGreaterThan(3);
    expect(client.isOpen()).toBe(true);
    backend.down = false;
    client.send({ add: "pears" });
    expect(await client.next()).toEqual({ items: ["tea", "pears"] });
  });
});
