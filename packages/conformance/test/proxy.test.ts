import { once } from "node:events";
import { createServer as createHttp } from "node:http";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { startProxy } from "../src/proxy.ts";

/** A server that returns every line in capitals, and keeps what it has seen. */
async function shout() {
  const seen: string[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (data) => {
      seen.push(String(data));
      socket.write(String(data).toUpperCase());
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy = await startProxy(`redis://user:secret@127.0.0.1:${(server.address() as AddressInfo).port}/1`);
  onTestFinished(async () => {
    await proxy.close();
    server.close();
  });
  const open = async (): Promise<Socket> => {
    const socket = connect(proxy.port, proxy.host);
    socket.on("error", () => {});
    await once(socket, "connect");
    onTestFinished(() => void socket.destroy());
    return socket;
  };
  return { proxy, seen, open };
}

/** What comes back next: data, or the end of the connection. */
async function ask(socket: Socket, text: string): Promise<string> {
  const answer = Promise.race([
    once(socket, "data").then(([data]) => String(data)),
    once(socket, "close").then(() => "closed"),
  ]);
  socket.write(text);
  return answer;
}

describe("a proxy", () => {
  test("passes data on, counts it, and has the server's URL with its own address", async () => {
    const { proxy, open } = await shout();
    const socket = await open();
    expect([await ask(socket, "one"), await ask(socket, "two")]).toEqual(["ONE", "TWO"]);
    expect(proxy.bytes).toEqual({ toServer: 6, toClient: 6 });
    expect(proxy.roundTrips()).toBe(2);
    expect(proxy.url).toBe(`redis://user:secret@127.0.0.1:${proxy.port}/1`);
  });

  test("cut ends connections and refuses new ones; restore takes them again on the same port", async () => {
    const { proxy, open } = await shout();
    const socket = await open();
    const closed = once(socket, "close");
    await proxy.cut();
    await closed;
    const refused = connect(proxy.port, proxy.host);
    const [error] = await once(refused, "error");
    expect(error).toMatchObject({ code: "ECONNREFUSED" });
    await proxy.restore();
    expect(await ask(await open(), "again")).toBe("AGAIN");
  });

  test("drop loses one answer: the server has done it, the connection ends, the next one works", async () => {
    const { proxy, seen, open } = await shout();
    const [first, second] = [await open(), await open()];
    await ask(second, "before");
    await proxy.drop();
    expect(await ask(first, "lost")).toBe("closed");
    expect(seen).toEqual(["before", "lost"]);
    expect(await ask(second, "after")).toBe("AFTER");
    expect(await ask(await open(), "new")).toBe("NEW");
  });

  test("drop waits for a request, and not for an answer that is under way", async () => {
    const { proxy, open } = await shout();
    const [first, second] = [await open(), await open()];
    proxy.delay(30);
    const under = ask(first, "under way");
    // Until the proxy has it.
    while (proxy.bytes.toServer === 0) await new Promise((resolve) => setImmediate(resolve));
    await proxy.drop();
    expect(await under).toBe("UNDER WAY");
    expect(await ask(second, "lost")).toBe("closed");
  });

  test("stall takes data and passes nothing on; restore ends what has lost bytes", async () => {
    const { proxy, seen, open } = await shout();
    const socket = await open();
    await proxy.stall();
    const answer = ask(socket, "unheard");
    while (proxy.bytes.toServer === 0) await new Promise((resolve) => setImmediate(resolve));
    await proxy.restore();
    expect(await answer).toBe("closed");
    expect(seen).toEqual([]);
    expect(await ask(await open(), "heard")).toBe("HEARD");
  });

  test("cutAfter ends the connection in the middle of an answer", async () => {
    const { proxy, open } = await shout();
    const socket = await open();
    proxy.cutAfter(2);
    const closed = once(socket, "close");
    expect(await ask(socket, "half")).toBe("HA");
    await closed;
  });

  test("delay keeps the order, and makes each direction as late", async () => {
    const { proxy, seen, open } = await shout();
    const socket = await open();
    proxy.delay(20);
    const begun = performance.now();
    const first = ask(socket, "slow");
    while (proxy.bytes.toServer === 0) await new Promise((resolve) => setImmediate(resolve));
    proxy.delay(0);
    socket.write(" fast");
    await first;
    await expect.poll(() => seen.join("")).toBe("slow fast");
    // A lower bound: a busy machine only adds to it. Timers may be a millisecond early.
    expect(performance.now() - begun).toBeGreaterThanOrEqual(19);
  });

  test("HTTP passes through it, and loses an answer as well", async () => {
    let requests = 0;
    const server = createHttp((_, response) => response.end(String(++requests))).listen(0, "127.0.0.1");
    await once(server, "listening");
    const proxy = await startProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    onTestFinished(async () => {
      await proxy.close();
      server.close();
    });
    const get = async () => (await fetch(`${proxy.url}/`)).text();
    expect(await get()).toBe("1");
    await proxy.drop();
    await expect(fetch(`${proxy.url}/`, { method: "POST", body: "x" })).rejects.toThrow();
    expect(requests).toBe(2);
    expect(await get()).toBe("3");
  });
});

test("a URL that names no single server is a TypeError without its password", async () => {
  for (const url of ["redis", "mongodb://user:secret@a:1,b:2/x", "strange://user:secret@localhost"]) {
    const error = await startProxy(url).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(TypeError);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain("secret");
  }
});
