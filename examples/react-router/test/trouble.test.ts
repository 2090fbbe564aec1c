import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { promisify } from "node:util";
import { freePort, type Program, startProgram } from "@sessions/example-tests";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cwd, node } from "./node.ts";

/** The shop, with more routes that throw and that write late. */
let program: Program;

beforeAll(async () => {
  await promisify(execFile)(node, ["node_modules/@react-router/dev/bin.cjs", "build", "test/fixture"], {
    cwd,
  });
  program = await startProgram({
    command: node,
    args: ["node_modules/@react-router/serve/bin.cjs", "./test/fixture/build/server/index.js"],
    cwd,
    env: { PORT: String(await freePort()), HOST: "127.0.0.1" },
    ready: /http:\/\/localhost:\d+/,
  });
});

afterAll(async () => {
  await program?.stop();
  await rm(`${cwd}test/fixture/build`, { recursive: true, force: true });
});

/** A request's cookie, and the fields of its form if it posts one. */
interface Sent {
  readonly cookie?: string | undefined;
  readonly form?: Record<string, string>;
}

const ask = (path: string, { cookie = "", form }: Sent = {}): Promise<Response> =>
  fetch(program.url + path, {
    redirect: "manual",
    headers: {
      cookie,
      // Crawlers, and clients that look like one, get the whole page at once.
      "user-agent": "Mozilla/5.0 (X11; Linux x64) Gecko/20100101 Firefox/150.0",
      // react-router-serve holds back pieces that are too small to compress.
      "accept-encoding": "identity",
    },
    ...(form && { method: "POST", body: new URLSearchParams(form) }),
  });

const page = async (cookie: string | undefined): Promise<string> => (await ask("/", { cookie })).text();

const itemsOf = (html: string): (string | undefined)[] =>
  [...html.matchAll(/<li>(.*?)<\/li>/g)].map(([, item]) => item);

/** Returns the cookie that a response sets, ready for the next request. */
const cookieOf = ({ headers }: Response): string | undefined =>
  headers
    .getSetCookie()
    .find((line) => line.startsWith("__Host-sid="))
    ?.split(";")[0];

async function withTea(): Promise<string | undefined> {
  const response = await ask("/?index", { form: { item: "tea" } });
  await response.text();
  return cookieOf(response);
}

describe("an error page", () => {
  test("keeps what was written before the error, and its cookie opens it", async () => {
    const response = await ask("/trouble?do=write and throw", { form: {} });
    expect(response.status).toBe(500);
    expect(await page(cookieOf(response))).toContain("Written.");
  });

  test("takes nothing from the visitor's session, and sets no other cookie", async () => {
    const cookie = await withTea();
    const response = await ask("/trouble?do=write and throw", { cookie, form: {} });
    expect([response.status, response.headers.getSetCookie()]).toEqual([500, []]);
    const html = await page(cookie);
    expect(html).toContain("Written.");
    expect(itemsOf(html)).toEqual(["tea"]);
  });

  test("stands for a redirect whose session cannot be stored: no cookie, no login, nothing lost", async () => {
    const cookie = await withTea();
    for (const path of ["/trouble?do=write too much", "/trouble.data?do=write too much"]) {
      for (const sent of [{ form: {} }, { cookie, form: {} }]) {
        const response = await ask(path, sent);
        expect([response.status, response.headers.getSetCookie()]).toEqual([500, []]);
      }
    }
    const html = await page(cookie);
    expect(itemsOf(html)).toEqual(["tea"]);
    expect(html).not.toContain("Signed in");
  });
});

test.each(["/trouble", "/trouble.data"])(
  "%s: a redirect that is thrown has both cookies, the application's and ours",
  async (path) => {
    const response = await ask(`${path}?do=throw a redirect`, { form: {} });
    expect(response.status).toBe(path.endsWith(".data") ? 202 : 303);
    expect(response.headers.getSetCookie()).toContainEqual("theme=dark; Path=/");
    expect(response.headers.get("cache-control")).toBe("private, no-store");
    expect(await page(cookieOf(response))).toContain("Signed in as <!-- -->Ada");
  },
);

describe("what the client's router asks for", () => {
  test("sets the cookie, and is committed before the answer", async () => {
    const response = await ask("/_.data?index", { form: { name: "Ada" } });
    expect(response.status).toBe(202);
    expect(await page(cookieOf(response))).toContain("Welcome, Ada.");
  });

  test("takes a flash, though it may have been asked ahead", async () => {
    const cookie = cookieOf(await ask("/_.data?index", { form: { name: "Ada" } }));
    expect(await (await ask("/_.data", { cookie })).text()).toContain("Welcome, Ada.");
    expect(await page(cookie)).not.toContain("Welcome");
  });
});

describe.each(["/late", "/late.data"])("a page that streams, %s,", (path) => {
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
    expect(await response.text()).toMatch(path.endsWith(".data") ? /SanitizedError/ : /refused/);
  });
});
