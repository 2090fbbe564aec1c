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

/** What React Router's own server does with the route modules of a guide that has them. */
const ROUTES = `import { createStaticHandler, RouterContextProvider } from "react-router";
import * as root from "./root.js";
import * as home from "./home.js";
const routes = ["/", "/login", "/cart", "/logout"].map((path) => ({ id: path, path, ...home }));
const { queryRoute } = createStaticHandler([{ id: "root", middleware: root.middleware ?? [(_, next) => next()], children: routes }]);
export default async function app(req, res) {
  const request = new Request(\`http://localhost\${req.url}\`, { method: req.method, headers: req.headers });
  const response = await queryRoute(request, {
    requestContext: new RouterContextProvider(),
    generateMiddlewareResponse: async (query) => {
      const found = await query(request);
      return found instanceof Response ? found : Response.json(found.data ?? found, found.init ?? undefined);
    },
  });
  res.writeHead(response.status, { "set-cookie": response.headers.getSetCookie() });
  res.end(await response.text());
}
`;

/** Takes the old and the new program out of a guide, and imports both, with one backend and one old store. */
export async function programsOf(
  guide: string,
): Promise<{ before(): Promise<string>; after(): Promise<string> }> {
  const text = await readFile(join(docs, guide), "utf8");
  await mkdir(programs, { recursive: true });
  const folder = await mkdtemp(join(programs, "p-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [file, content] of Object.entries(OTHER_FILES)) await writeFile(join(folder, file), content);

  /** Writes the programs without the lines that have this mark, and starts the one that is the server. */
  async function start(version: string, mark: string): Promise<string> {
    const own = join(folder, version);
    await mkdir(own);
    for (const file of Object.keys(OTHER_FILES))
      await writeFile(join(own, file), `export * from "../${file}";\n`);
    await writeFile(join(own, "app.js"), ROUTES);
    for (const [, diff = ""] of text.matchAll(/```diff\n(.*?)```/gs)) {
      const lines = diff.split("\n").flatMap((line) => (line.startsWith(mark) ? [] : [line.slice(1)]));
      const [, file = "app.js"] = /^\/\/ app\/(\S+)/.exec(lines[0] ?? "") ?? [];
      await writeFile(join(own, file), lines.join("\n"));
    }
    const { default: app }: { default: RequestListener | { ready(): Promise<{ server: unknown }> } } =
      await import(join(own, "app.js"));
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
  return { before: () => start("before", "+"), after: () => start("after", "-") };
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
