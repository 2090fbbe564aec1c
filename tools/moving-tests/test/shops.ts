import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished } from "vitest";

export const docs: string = fileURLToPath(new URL("../../../docs/moving/", import.meta.url));
/** Beside the tests, so that the programs find what this package installs. */
const programs = fileURLToPath(new URL("./.programs/", import.meta.url));
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

/** Takes the old and the new program out of a guide, and imports both, with one backend and one old store. */
export async function programsOf(
  guide: string,
): Promise<{ before(): Promise<string>; after(): Promise<string> }> {
  const [, diff = ""] = /```diff\n(.*?)```/s.exec(await readFile(join(docs, guide), "utf8")) ?? [];
  await mkdir(programs, { recursive: true });
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

interface Browser {
  /** Visits a path of the site at `url`. A page is JSON. */
  ask(url: string, path: string): Promise<unknown>;
  readonly jar: ReadonlyMap<string, string>;
  copy(): Browser;
}

/** A browser: it takes the cookies of each response as that comes. */
export function browser(from?: ReadonlyMap<string, string>): Browser {
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
