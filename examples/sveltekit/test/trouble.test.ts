import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { promisify } from "node:util";
import { type Program, startProgram } from "@sessions/example-tests";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cwd, node } from "./node.ts";

const fixture = `${cwd}test/fixture`;

/** The shop, with more routes that throw, that write late, and that fetch others. */
let program: Program;

beforeAll(async () => {
  await promisify(execFile)(node, ["../../node_modules/vite/bin/vite.js", "build"], { cwd: fixture });
  program = await startProgram({
    command: node,
    args: ["build"],
    cwd: fixture,
    env: { HOST: "127.0.0.1", NODE_ENV: "production" },
    ready: /http:\/\/127\.0\.0\.1:\d+/,
  });
});

afterAll(async () => {
  await program?.stop();
  for (const made of ["build", ".svelte-kit", "node_modules"])
    await rm(`${fixture}/${made}`, { recursive: true, force: true });
});

/** A request's cookie, and the fields of its form if it posts one. */
interface Sent {
  readonly cookie?: string | undefined;
  readonly accept?: string;
  readonly form?: Record<string, string>;
}

const ask = (path: string, { cookie = "", accept = "text/html", form }: Sent = {}): Promise<Response> =>
  fetch(program.url + path, {
    redirect: "manual",
    // adapter-node treats every request as https.
    headers: { cookie, accept, origin: program.url.replace("http:", "https:") },
    ...(form && { method: "POST", body: new URLSearchParams(form) }),
  });

const page = async (cookie: string | undefined): Promise<string> => (await ask("/", { cookie })).text();

const itemsOf = (html: string): (string | undefined)[] =>
  [...html.matchAll(/<li>(.*?)<\/li>/g)].map(([, item]) => item);

/** Returns the session's cookies that a response sets, ready for the next request. */
const cookiesOf = ({ headers }: Response): string[] =>
  headers.getSetCookie().flatMap((line) => /^__Host-sid=[^;]+/.exec(line) ?? []);

async function withTea(): Promise<string | undefined> {
  const response = await ask("/?/add", { form: { item: "tea" } });
  await response.text();
  return cookiesOf(response)[0];
}

/** The headers of a browser without JavaScript, and of SvelteKit's own forms. */
const both = ["text/html", "application/json"];

describe.each(both)("the answer to an error in an action that is asked for %s", (accept) => {
  test("keeps what was written before the error, and its cookie opens it", async () => {
    const response = await ask("/trouble?/throws", { accept, form: {} });
    expect(response.status).toBe(500);
    expect(await page(cookiesOf(response)[0])).toContain("Written.");
  });

  test("takes nothing from the visitor's session, and sets no other cookie", async () => {
    const cookie = await withTea();
    const response = await ask("/trouble?/throws", { accept, cookie, form: {} });
    expect([response.status, response.headers.getSetCookie()]).toEqual([500, []]);
    const html = await page(cookie);
    expect(html).toContain("Written.");
    expect(itemsOf(html)).toEqual(["tea"]);
  });

  test("stands for a redirect whose session cannot be stored: no cookie, no login, nothing lost", async () => {
    const cookie = await withTea();
    for (const sent of [{}, { cookie }]) {
      const response = await ask("/trouble?/tooMuch", { accept, form: {}, ...sent });
      expect([response.status, response.headers.getSetCookie()]).toEqual([500, []]);
    }
    const html = await page(cookie);
    expect(itemsOf(html)).toEqual(["tea"]);
    expect(html).not.toContain("Signed in");
  });
});

test.each(both)(
  "a redirect that is asked for %s has both cookies, the application's and ours",
  async (accept) => {
    const response = await ask("/trouble?/theme", { accept, form: {} });
    expect(response.status).toBe(accept === "text/html" ? 303 : 200);
    expect(response.headers.getSetCookie().join()).toContain("theme=dark");
    expect(response.headers.get("cache-control")).toMatch(/private, no-store/);
    expect(await page(cookiesOf(response)[0])).toContain("Signed in as Ada");
  },
);

describe("what the client's router asks for", () => {
  test("has the cookie of a session that its load began, redirected or not", async () => {
    const response = await ask("/guarded/__data.json");
    expect(await response.json()).toEqual({ type: "redirect", status: 303, location: "/" });
    expect(await page(cookiesOf(response)[0])).toContain("Turned away.");
  });

  test("takes a flash, though it may have been asked ahead", async () => {
    const [cookie] = cookiesOf(await ask("/?/login", { form: { name: "Ada" } }));
    expect(await (await ask("/__data.json", { cookie })).text()).toContain("Welcome, Ada.");
    expect(await page(cookie)).not.toContain("Welcome");
  });
});

describe.each(["/late", "/late/__data.json"])("a page that streams, %s,", (path) => {
  test("ends when what it wrote late is stored", async () => {
    const cookie = await withTea();
    const response = await ask(path, { cookie });
    expect(itemsOf(await page(cookie))).toEqual(["tea"]);
    expect(await (await ask("/go")).text()).toBe("true");
    await response.text();
    expect(itemsOf(await page(cookie))).toEqual(["tea", "late"]);
  });

  test("refuses the first write of a visitor whose headers are out, and sets no cookie", async () => {
    const response = await ask(path);
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(await (await ask("/go")).text()).toBe("true");
    expect(await response.text()).toContain("Internal Error");
  });
});

// No adapter can fix these. The README says what to do instead.
describe("SvelteKit's own ways", () => {
  test("a redirect that a later hook returns has no cookie where the client's router asked", async () => {
    const response = await ask("/guarded?by=return");
    expect(response.status).toBe(303);
    expect(await page(cookiesOf(response)[0])).toContain("Turned away.");
    expect(cookiesOf(await ask("/guarded/__data.json?by=return"))).toEqual([]);

    const cookie = await withTea();
    await ask("/guarded/__data.json?by=return", { cookie });
    expect(await page(cookie)).toContain("Turned away.");
  });

  test("a redirect that a later hook throws is no response: what was staged is discarded", async () => {
    const cookie = await withTea();
    for (const path of ["/guarded?by=throw", "/guarded/__data.json?by=throw"]) {
      expect((await ask(path, { cookie })).headers.getSetCookie()).toEqual([]);
      expect(await page(cookie)).not.toContain("Turned away.");
    }
  });

  test("a load that asks a route of its own shares the visitor's session with it, once there is one", async () => {
    const cookie = await withTea();
    expect((await ask("/nested?too", { cookie })).headers.getSetCookie()).toEqual([]);
    const html = await page(cookie);
    expect(html).toContain("Written outside.");
    expect(itemsOf(html)).toEqual(["tea", "nested"]);
  });

  test("otherwise each begins one, and the browser keeps the load's", async () => {
    const alone = await ask("/nested");
    expect(itemsOf(await page(cookiesOf(alone)[0]))).toEqual(["nested"]);
    const [inner, outer] = cookiesOf(await ask("/nested?too"));
    expect(itemsOf(await page(inner))).toEqual(["nested"]);
    expect(await page(outer)).toContain("Written outside.");
  });

  test("a page that the build made knows no visitor, and sets no cookie", async () => {
    const response = await ask("/static", { cookie: await withTea() });
    expect(await response.text()).toContain("<h1>Static</h1>");
    expect(response.headers.getSetCookie()).toEqual([]);
  });
});
