import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";

const docs = fileURLToPath(new URL("../../../docs/moving/", import.meta.url));
/** Beside the tests, so that the programs find what this package installs. */
const programs = fileURLToPath(new URL("./.programs/", import.meta.url));
const names = (await readdir(docs)).filter(
  (name) => /^from-.*\.md$/.test(name) && name !== "from-express-session.md",
);

/** What the guides leave to the reader. */
const OTHER_FILES = {
  "backend.js": 'export { memory as driver } from "./memory.js";\n',
  "memory.js":
    'import { memoryDriver } from "@sessions/core/memory";\nexport const memory = memoryDriver();\n',
  "shop.js": `import { setTimeout } from "node:timers/promises";
import fastifySession from "@fastify/session";
export const store = new fastifySession.MemoryStore();
export async function lookUp(item) {
  await setTimeout(Number(item.split(" ")[1] ?? 20)); // a database that takes as long as the item says
  return item;
}
`,
};

beforeAll(() => mkdir(programs, { recursive: true }));
afterAll(() => rm(programs, { recursive: true, force: true }));

/** Takes the old and the new program out of a guide, and imports both, with one backend and one old store. */
async function programsOf(guide: string) {
  const [, diff = ""] = /```diff\n(.*?)```/s.exec(await readFile(join(docs, guide), "utf8")) ?? [];
  const folder = await mkdtemp(join(programs, "p-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const lines = diff.split("\n");
  const without = (mark: string): string =>
    lines.flatMap((line) => (line.startsWith(mark) ? [] : [line.slice(1)])).join("\n");
  const files = { ...OTHER_FILES, "before.js": without("+"), "after.js": without("-") };
  for (const [file, text] of Object.entries(files)) await writeFile(join(folder, file), text);
  async function start(file: string): Promise<string> {
    const { default: app }: { default: RequestListener | { ready(): Promise<{ server: unknown }> } } =
      await import(join(folder, file));
    // Fastify has a server of its own.
    const routing: unknown = Reflect.get(app, "routing");
    if (typeof routing === "function") await Reflect.apply(Reflect.get(app, "ready"), app, []);
    const listener = (typeof routing === "function" ? routing : app) as RequestListener;
    const server = createServer(listener).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => {
      server.close();
      server.closeAllConnections();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  return { before: () => start("before.js"), after: () => start("after.js") };
}

/** A browser: it takes the cookies of each response as that comes. */
function browser(from?: ReadonlyMap<string, string>) {
  const jar = new Map(from);
  async function ask(url: string, path: string): Promise<unknown> {
    const response = await fetch(url + path, {
      method: path === "/" ? "GET" : "POST",
      headers: { cookie: [...jar].map((pair) => pair.join("=")).join("; ") },
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (value === "" || /max-age=0|expires=thu, 01 jan 1970/i.test(cookie)) jar.delete(name);
      else jar.set(name, value);
    }
    const text = await response.text();
    expect(response.status, text).toBe(200);
    return path === "/" ? JSON.parse(text) : undefined;
  }
  return { ask, jar, copy: () => browser(jar) };
}

describe.each(names)("%s", (guide) => {
  test.each(["before", "after"] as const)("%s: ten requests add to one cart at once", async (version) => {
    const url = await (await programsOf(guide))[version]();
    const { ask } = browser();
    await ask(url, "/cart?item=tea");
    await Promise.all(Array.from({ length: 10 }, (_, i) => ask(url, `/cart?item=item${i}`)));
    const { cart } = Object(await ask(url, "/"));
    if (version === "after") expect(cart).toHaveLength(11);
    else expect(cart.length).toBeLessThan(11);
  });

  test.each(["before", "after"] as const)(
    "%s: a logout while a slow request is under way",
    async (version) => {
      const url = await (await programsOf(guide))[version]();
      const visitor = browser();
      await visitor.ask(url, "/login?name=ada");
      const late = visitor.copy();
      const slow = late.ask(url, "/cart?item=honey%20300");
      await visitor.ask(url, "/"); // the site has read the slow request's session by now
      await visitor.ask(url, "/logout");
      await slow;
      const page = await late.copy().ask(url, "/");
      expect(page).toEqual(version === "after" ? { cart: [] } : { user: "ada", cart: ["honey 300"] });
    },
  );

  test("a visitor who was logged in comes back after the move", async () => {
    const { before, after } = await programsOf(guide);
    const [old, moved] = [await before(), await after()];
    const { ask, jar } = browser();
    await ask(old, "/login?name=ada");
    await ask(old, "/cart?item=tea");
    const [name = ""] = jar.keys();
    expect(await ask(moved, "/")).toEqual({ user: "ada", cart: ["tea"] });
    expect([...jar.keys()]).toEqual(["sid"]);
    await ask(moved, "/cart?item=honey");
    expect(await ask(moved, "/")).toEqual({ user: "ada", cart: ["tea", "honey"] });
    expect(name).not.toBe("sid");
  });
});
