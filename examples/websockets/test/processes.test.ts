import process from "node:process";
import { fileURLToPath } from "node:url";
import { startProgram } from "@sessions/example-tests";
import { service } from "@sessions/test-services";
import { describe, expect, onTestFinished, test } from "vitest";
import { libraries, Visitor } from "./support.ts";

const redis = service("redis");

/** The program, as it is started. Its sessions are on the Redis of this run. */
async function start(checkEvery: number): Promise<string> {
  const { url, stop } = await startProgram({
    command: process.execPath,
    args: [
      "--conditions=@sessions/source",
      "--import=tsx",
      fileURLToPath(new URL("../src/main.ts", import.meta.url)),
    ],
    // Where Redis's driver is installed: `driverFromUrl` looks beside the program, and then here.
    cwd: fileURLToPath(new URL("../../two-apps/", import.meta.url)),
    env: { SESSIONS_URL: redis?.url, CHECK_EVERY: String(checkEvery) },
    ready: /http:\/\/localhost:\d+/,
  });
  onTestFinished(stop);
  return url;
}

describe.skipIf(!redis).each(Object.entries(libraries))("two processes on one Redis, by %s", (_, connect) => {
  test("a socket in one sees what the other's page changes, and ends with the other's logout", async () => {
    // Longer than any test: nothing here is the timer's doing.
    const [pages, sockets] = await Promise.all([start(3_600_000), start(3_600_000)]);
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
    const [pages, sockets] = await Promise.all([start(3_600_000), start(100)]);
    const visitor = new Visitor(pages);
    await visitor.post("/cart", { item: "tea" });
    const client = connect(sockets, visitor.cookie);
    await client.next();
    await visitor.post("/logout");
    expect(await client.closed).toBe("ended");
  });
});
