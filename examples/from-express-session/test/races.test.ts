import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startSource, visitor } from "./support.ts";

const read = (name: string): Promise<string> => readFile(new URL(name, import.meta.url), "utf8");

/** Without the order of its imports, which a formatter decides. */
const linesOf = (program: string): string[] => program.split("\n").sort();

test("the guide's diff makes the drop-in's program out of the old one", async () => {
  const [, diff = ""] =
    /```diff\n(.*?)```/s.exec(await read("../../../docs/moving/from-express-session.md")) ?? [];
  const of = (mark: string): string[] =>
    diff.split("\n").flatMap((line) => (line.startsWith(mark) ? [line.slice(1)] : []));
  const before = linesOf(await read("../src/before.ts"));
  for (const removed of of("-")) expect(before).toContain(removed);
  const kept = before.filter((line) => !of("-").includes(line));
  expect(linesOf(await read("../src/drop-in.ts"))).toEqual([...kept, ...of("+")].sort());
});

async function start(file: string) {
  const folder = await mkdtemp(join(tmpdir(), "from-express-session-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return startSource(file, { SESSIONS_FOLDER: folder, SESSION_SECRET: "for this test" });
}

/** Begins a request whose body comes later: the site has read its session when the headers are there. */
async function slowly(url: string, cookie: string): Promise<() => Promise<void>> {
  const body = "item=late";
  const headers = {
    cookie,
    "content-type": "application/x-www-form-urlencoded",
    "content-length": body.length,
  };
  const slow = request(`${url}/cart`, { method: "POST", headers });
  slow.flushHeaders();
  return async () => {
    slow.end(body);
    const [response] = await once(slow, "response");
    response.resume();
    await once(response, "end");
  };
}

const programs = [
  ["before.ts", "express-session"],
  ["drop-in.ts", "the drop-in"],
  ["after.ts", "core's API"],
] as const;

test.each(programs)("%s: twenty requests that add to one list at once", async (file) => {
  const { url } = await start(file);
  const ask = visitor(url);
  await ask("/cart", { item: "first" });
  await Promise.all(Array.from({ length: 20 }, (_, i) => ask("/cart", { item: `item ${i}` })));
  const items = (await (await ask("/")).text()).split("<li>").length - 1;
  if (file === "after.ts") expect(items).toBe(21);
  else expect(items).toBeLessThan(21);
});

test.each(programs)("%s: a logout while a slow request of the same visitor is under way", async (file) => {
  const { url } = await start(file);
  const ask = visitor(url);
  const login = await ask("/login", { name: "Ada" });
  const [cookie = ""] = (login.headers.getSetCookie()[0] ?? "").split(";");
  const end = await slowly(url, cookie);
  // The site reads the slow request's session before this one's, which came later.
  for (let i = 0; i < 5; i++) await ask("/");
  await ask("/logout", {});
  await end();
  const page = await (await fetch(url, { headers: { cookie } })).text();
  expect(page.includes("Signed in as Ada")).toBe(file === "before.ts");
});

test.each(programs)("%s: a login while a slow request of the guest is under way", async (file) => {
  const { url } = await start(file);
  const ask = visitor(url);
  const first = await ask("/cart", { item: "tea" });
  const [guest = ""] = (first.headers.getSetCookie()[0] ?? "").split(";");
  const end = await slowly(url, guest);
  for (let i = 0; i < 5; i++) await ask("/");
  await ask("/login", { name: "Ada" });
  await end();
  const page = await (await fetch(url, { headers: { cookie: guest } })).text();
  expect(page.includes("<li>tea</li>")).toBe(file === "before.ts");
  expect(await (await ask("/")).text()).toContain("Signed in as Ada");
});
