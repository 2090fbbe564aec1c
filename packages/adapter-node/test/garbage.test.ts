import http from "node:http";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { ask, type Backend, cookieOf, createBackend, servers } from "./support.ts";

setFlagsFromString("--expose-gc");
const gc: (options: { type: "minor" }) => void = runInNewContext("gc");

const BYTES = 200_000;
const REQUESTS = 100;

/** Like a database: each load returns new objects. */
function copying(): Backend {
  const backend = createBackend();
  const { driver } = backend;
  const load: typeof driver.load = async (id) => {
    const record = await driver.load(id);
    if (!record) return undefined;
    const fields = new Map([...record.fields].map(([name, text]) => [name, Buffer.from(text).toString()]));
    return { ...record, fields };
  };
  return { ...backend, driver: { ...driver, load } };
}

/** Bytes in use after collections of the young generation only. They are cheap if little survives. */
function inUse(): number {
  for (let i = 0; i < 3; i++) gc({ type: "minor" });
  return process.memoryUsage().heapUsed;
}

describe.each(Object.entries(servers))("%s", (_, start) => {
  test.each([
    ["is only read", "0"],
    ["is written to", "1"],
  ])("what a request has read goes with it: its session %s", async (_what, write) => {
    const app = await start(
      ({ req, res, session }) => {
        const store = session.store("app");
        if (!req.headers.cookie) for (let i = 0; i < 100; i++) store.set(`n${i}`, "x".repeat(BYTES / 100));
        if (req.url === "/1") store.set("n", Math.random());
        res.end("done");
      },
      { backend: copying() },
    );
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const cookie = cookieOf(await ask(app.port, { agent }));
    const visit = () => ask(app.port, { agent, path: `/${write}`, headers: { cookie } });
    for (let i = 0; i < REQUESTS; i++) await visit();
    const before = inUse();
    for (let i = 0; i < REQUESTS; i++) await visit();
    const kept = (inUse() - before) / REQUESTS;
    agent.destroy();
    expect(kept).toBeLessThan(BYTES / 5);
  });
});
