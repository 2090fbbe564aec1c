import { once } from "node:events";
import { rm } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { fileURLToPath } from "node:url";
import { build } from "tsdown";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Program, startProgram } from "./program.ts";
import { Visitor } from "./visitor.ts";

const folder = fileURLToPath(new URL("../", import.meta.url));
// Below the package, where its dependencies are found, and not in dist, which may be in use.
const outDir = `${folder}node_modules/.main-test`;

// As `pnpm build` does it, but with the source of the packages: no test sees a stale dist.
beforeAll(async () => {
  await build({
    cwd: folder,
    outDir,
    inputOptions: { resolve: { conditionNames: ["@sessions/source", "node", "import"] } },
    deps: { alwaysBundle: [/^@sessions\//] },
    logLevel: "warn",
  });
});

afterAll(async () => {
  await rm(outDir, { recursive: true, force: true });
  // What the program keeps by itself, beside it.
  await rm(`${outDir}/../.sessions`, { recursive: true, force: true });
});

const start = (env: NodeJS.ProcessEnv = {}): Program => startProgram([`${outDir}/main.js`], env);

test("keeps sessions across restarts without being told where, and says where it does and how to choose", async () => {
  const begin = async (): Promise<[Program, Visitor]> => {
    const program = start();
    const visitor = new Visitor(await program.printed(/http:\/\/127\.0\.0\.1:\d+/));
    await program.printed(/Ctrl-C/);
    return [program, visitor];
  };
  const [first, ada] = await begin();
  expect(first.output()).toMatch(/kept in: +files \(.*\.sessions.*still signed in/);
  expect(first.output()).toContain("SESSIONS_URL=redis://");
  await ada.post("/shop/add", { sku: "tea" });
  await ada.signIn("ada");
  const closed = once(first.child, "close");
  first.child.kill("SIGTERM");
  expect(await closed).toEqual([0, null]);

  const [, again] = await begin();
  for (const [name, value] of ada.cookies) again.cookies.set(name, value);
  expect(await again.session()).toMatchObject({ principal: "ada" });
  expect(await again.page("/shop")).toMatch(/<output[^>]*>1</);
});

test("says where it is and what to try, answers, and finishes what it does when it is told to end", async () => {
  const { printed, output, child } = start({ SESSIONS_URL: "memory:" });
  const url = await printed(/http:\/\/127\.0\.0\.1:\d+/);
  await printed(/Ctrl-C/);
  expect(output()).toContain("memory");
  expect(output()).not.toContain("SESSIONS_URL");

  const body = new URLSearchParams({ sku: "tea" });
  const added = await fetch(`${url}/shop/add`, { method: "POST", body, redirect: "manual" });
  expect(added.status).toBe(303);
  const cookie = added.headers.getSetCookie()[0]?.split(";", 1)[0] ?? "";

  // The payment takes a while. "continue" says that the order has arrived.
  const order = request(`${url}/shop/order`, { method: "POST", headers: { cookie, expect: "100-continue" } });
  const answered = once(order, "response");
  order.flushHeaders();
  await once(order, "continue");
  order.end();
  const closed = once(child, "close");
  child.kill("SIGTERM");
  child.kill("SIGTERM");

  const [response]: IncomingMessage[] = await answered;
  response?.resume();
  expect(response?.statusCode).toBe(303);
  expect(await closed).toEqual([0, null]);
});

test("names the backend that it knows no driver for, and never its password", async () => {
  const { output, child } = start({ SESSIONS_URL: "nonsense://user:hunter2@nowhere" });
  const [code] = await once(child, "close");
  expect(code).toBe(1);
  expect(output()).toContain("nonsense:");
  expect(output()).not.toMatch(/hunter2|\n +at /);
});
