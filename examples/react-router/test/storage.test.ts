import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { promisify } from "node:util";
import { freePort, type Program, startProgram } from "@sessions/example-tests";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cwd, node } from "./node.ts";

/** An application whose handlers are written for a session storage of React Router, on ours. */
let program: Program;

beforeAll(async () => {
  await promisify(execFile)(node, ["node_modules/@react-router/dev/bin.cjs", "build", "test/storage"], {
    cwd,
  });
  program = await startProgram({
    command: node,
    args: ["node_modules/@react-router/serve/bin.cjs", "./test/storage/build/server/index.js"],
    cwd,
    env: { PORT: String(await freePort()), HOST: "127.0.0.1" },
    ready: /http:\/\/localhost:\d+/,
  });
});

afterAll(async () => {
  await program?.stop();
  await rm(`${cwd}test/storage/build`, { recursive: true, force: true });
});

const ask = (path: string, cookie = "", form?: Record<string, string>): Promise<Response> =>
  fetch(program.url + path, {
    redirect: "manual",
    headers: { cookie },
    ...(form && { method: "POST", body: new URLSearchParams(form) }),
  });

const cookiesOf = ({ headers }: Response): string[] => headers.getSetCookie();
const cookieOf = (response: Response): string => cookiesOf(response)[0]?.split(";")[0] ?? "";

/** What a page shows of the session. */
async function shown(response: Response): Promise<{ message: string | undefined; held: unknown }> {
  const html = (await response.text()).replaceAll("&quot;", '"');
  const [, message] = /<p role="status">(.*?)<\/p>/.exec(html) ?? [];
  const [, held = ""] = /<pre>(.*?)<\/pre>/.exec(html) ?? [];
  return { message, held: JSON.parse(held) };
}

const held = async (cookie: string): Promise<unknown> => (await shown(await ask("/", cookie))).held;

test("two loaders write in a visitor's first request: one session, one cookie, both keys", async () => {
  const response = await ask("/?write");
  expect(cookiesOf(response)).toEqual([expect.stringMatching(/^__Host-sid=\w/)]);
  expect(await held(cookieOf(response))).toEqual({ root: 1, page: 1 });
});

test("an action and the loaders of another request overlap, and nothing is lost", async () => {
  const cookie = cookieOf(await ask("/?write"));
  const [posted, got] = await Promise.all([
    ask("/?index&meet", cookie, { text: "tea" }),
    ask("/?meet&write", cookie),
  ]);
  expect([posted.status, got.status]).toEqual([302, 200]);
  expect([...cookiesOf(posted), ...cookiesOf(got)]).toEqual([]);
  expect(await held(cookie)).toEqual({ root: 2, page: 2, form: "tea" });
});

describe.each([
  ["a page", "/?index"],
  ["the client's router", "/_.data?index"],
])("by %s,", (_, path) => {
  test("a login begins a new session with what the old one held, and its message is shown once", async () => {
    const planted = cookieOf(await ask("/?index", "", { text: "tea" }));
    const response = await ask(path, planted, { user: "Ada" });
    expect(response.status).toBe(path.includes(".data") ? 202 : 302);
    expect(cookiesOf(response)).toHaveLength(1);
    const cookie = cookieOf(response);
    expect(await shown(await ask("/", cookie))).toEqual({
      message: "Welcome, Ada.",
      held: { userId: "Ada", form: "tea" },
    });
    expect(await shown(await ask("/", cookie))).toMatchObject({ message: "" });
    expect(await held(planted)).toEqual({});
  });

  test("a copied cookie is dead after destroySession(), and one cookie goes out that clears it", async () => {
    const cookie = cookieOf(await ask("/?index", "", { user: "Ada" }));
    const response = await ask(path, cookie, { logout: "" });
    expect(cookiesOf(response)).toEqual([expect.stringMatching(/^__Host-sid=; Max-Age=0/)]);
    expect(await held(cookie)).toEqual({});
  });
});
