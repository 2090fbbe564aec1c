import process from "node:process";
import { fileURLToPath } from "node:url";
import { type Program, startProgram, testEnding } from "@sessions/example-tests";
import { service } from "@sessions/test-services";
import { describe, expect, onTestFinished, test } from "vitest";
import { libraries, Visitor } from "./support.ts";

const redis = service("redis");

/** The program, as it is started. */
function start(env: NodeJS.ProcessEnv): Promise<Program> {
  return startProgram({
    command: process.execPath,
    args: [
      "--conditions=@sessions/source",
      "--import=tsx",
      fileURLToPath(new URL("../src/main.ts", import.meta.url)),
    ],
    cwd: fileURLToPath(new URL("../", import.meta.url)),
    env,
    ready: /http:\/\/localhost:\d+/,
  });
}

/** The program with its sessions on the Redis of this run, until the test is over; answers its address. */
async function startOnRedis(checkEvery: number): Promise<string> {
  const { url, stop } = await start({ SESSIONS_URL: redis?.url, CHECK_EVERY: String(checkEvery) });
  onTestFinished(stop);
  return url;
}

testEnding({ test, start: () => start({}) });

test.each(Object.entries(libraries))(
  "SIGTERM ends the program though sockets are open, and does not tell them that their session has ended: %s",
  async (_, connect) => {
    const { url, stop } = await start({});
    let closed: Promise<string> | undefined;
    try {
      const visitor = new Visitor(url);
      await visitor.post("/cart", { item: "tea" });
      const client = connect(url, visitor.cookie);
      await client.next();
      ({ closed } = client);
    } finally {
      await stop();
    }
    expect(await closed).toBe("other");
  },
);

test("SIGTERM ends the program though Socket.IO waits for the next poll of a client whose session has ended", async () => {
  const { url, stop } = await start({});
  try {
    const visitor = new Visitor(url);
    await visitor.post("/cart", { item: "tea" });
    const { cookie = "" } = visitor;
    // By hand: Socket.IO's own client asks once more, and whether that or its goodbye comes first is chance.
    const ask = async (query: string, init: RequestInit = {}): Promise<string> => {
      const address = `${url}/socket.io/?EIO=4&transport=polling${query}`;
      const response = await fetch(address, { headers: { cookie }, ...init });
      expect(response.status).toBe(200);
      return response.text();
    };
    const { sid }: { sid: string } = JSON.parse((await ask("")).slice(1));
    const query = `&sid=${sid}`;
    await ask(query, { method: "POST", body: "40" });
    expect(await ask(query)).toMatch(/^40/);
    await visitor.post("/logout");
    // The cart may come before, or along with it.
    let told = "";
    while (!told.split("\x1e").includes("41")) told = await ask(query);
  } finally {
    await stop();
  }
});

describe.skipIf(!redis).each(Object.entries(libraries))("two processes on one Redis, by %s", (_, connect) => {
  test("a socket in one sees what the other's page changes, and ends with the other's logout", async () => {
    // Longer than any test: nothing here is the timer's doing.
    const [pages, sockets] = await Promise.all([startOnRedis(3_600_000), startOnRedis(3_600_000)]);
    const visitor = new Visitor(pages);
    await visitor.post("/cart", { item: "tea" });
    await visitor.post("/login", { name: "Ada" });
    const client = connect(sockets, visitor.cookie);
    expect(await client.next()).toEqual({ items: ["tea"] });

    await visitor.post("/cart", { item: "honey" });
    client.send({ add: "pears" });
    expect(await client.next()).toEqual({ items: ["tea", "honey", "pears"] });
    expect(await visitor.page()).toContain("<li>tea</li><li>honey</li><li>pears</li>");

    await visitor.post("/logout");
    client.send({ add: "late" });
    expect(await client.closed).toBe("ended");
  });

  test("a silent socket in one is closed by a check after the other's logout", async () => {
    const [pages, sockets] = await Promise.all([startOnRedis(3_600_000), startOnRedis(100)]);
    const visitor = new Visitor(pages);
    await visitor.post("/cart", { item: "tea" });
    const client = connect(sockets, visitor.cookie);
    await client.next();
    await visitor.post("/logout");
    expect(await client.closed).toBe("ended");
  });
});
