import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { example, node, start } from "./start.ts";

// The pages of test/site show what the shop does not need.
let site: Awaited<ReturnType<typeof start>>;
beforeAll(async () => {
  await promisify(execFile)(node, ["node_modules/astro/bin/astro.mjs", "build", "--root", "test/site"], {
    cwd: example,
  });
  site = await start("test/site");
}, 300_000);
afterAll(() => site.stop());

const get = (path: string, cookie = ""): Promise<Response> =>
  fetch(site.url + path, { redirect: "manual", headers: { cookie } });

/** Returns the names of the cookies that a response sets. */
const cookieNames = ({ headers }: Response): string[] =>
  headers.getSetCookie().map((line) => line.replace(/=.*/s, ""));

/** Makes a session that holds tea, and returns its cookie. */
async function visitor(): Promise<string> {
  const [ours = ""] = (await get("/begin")).headers.getSetCookie();
  expect(ours).toMatch(/^__Host-sid=.*; HttpOnly; Secure; SameSite=Lax/);
  return ours.replace(/;.*/s, "");
}

/** Returns the page that the shop shows to that visitor. */
const items = async (cookie: string): Promise<string[]> =>
  [...(await (await get("/", cookie)).text()).matchAll(/<li>(.*?)<\/li>/g)].map(([, item = ""]) => item);

describe("the frontmatter of a page", () => {
  test("begins a session, with a cookie of its own beside ours, and redirects", async () => {
    for (const path of ["/begin", "/begin?redirect"]) {
      const response = await get(path);
      expect(cookieNames(response)).toEqual(["__Host-sid", "theme"]);
      const [ours = ""] = response.headers.getSetCookie();
      expect(await items(ours.replace(/;.*/s, ""))).toEqual(["tea"]);
    }
    const response = await get("/begin?redirect", await visitor());
    expect([response.status, response.headers.get("Location")]).toEqual([303, "/"]);
    expect(cookieNames(response)).toEqual(["theme"]);
  });

  test("that throws has an error page, which knows the visitor, and stores and sets nothing", async () => {
    const cookie = await visitor();
    const known = await get("/begin?throw=honey", cookie);
    expect(known.status).toBe(500);
    expect(await known.text()).toContain("Sorry about your tea");
    expect(known.headers.getSetCookie()).toEqual([]);
    expect(await items(cookie)).toEqual(["tea"]);

    const stranger = await get("/begin?throw=honey");
    expect(stranger.status).toBe(500);
    expect(await stranger.text()).toContain("Sorry about your nothing");
    expect(stranger.headers.getSetCookie()).toEqual([]);
  });

  test("is not run for a page that is not there: no cookie, and no session ends", async () => {
    const cookie = await visitor();
    for (const each of ["", cookie]) {
      const response = await get("/nothing", each);
      expect(response.status).toBe(404);
      expect(response.headers.getSetCookie()).toEqual([]);
    }
    expect(await items(cookie)).toEqual(["tea"]);
  });
});

describe("a component, while the page streams,", () => {
  test("writes to a session that the visitor has, and that is stored before the page's end", async () => {
    const cookie = await visitor();
    const { body } = await get("/late", cookie);
    const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes("Early")) text += (await reader?.read())?.value ?? "";
    await get("/go-on", cookie);
    for (let piece = await reader?.read(); piece?.value !== undefined; piece = await reader?.read())
      text += piece.value;
    expect(text).toContain("Written");
    expect(await items(cookie)).toEqual(["tea", "late"]);
  });

  test("cannot begin a session any more: the page breaks off", async () => {
    const response = await get("/begin-late");
    expect(response.headers.getSetCookie()).toEqual([]);
    await expect(response.text()).rejects.toThrow();
    await expect.poll(() => site.output()).toContain("ERR_SESSION_HEADERS_SENT");
    const cookie = await visitor();
    expect(await (await get("/begin-late", cookie)).text()).toContain("Written");
    expect(await items(cookie)).toEqual(["too late"]);
  });

  test("cannot redirect either, by Astro's own rule, and what it staged for a visitor is not stored", async () => {
    const cookie = await visitor();
    const response = await get("/redirect-late", cookie);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
    expect(await items(cookie)).toEqual(["tea"]);
  });
});

describe.each([
  ["Astro.session, which its driver keeps whole", "", false],
  ["locals.session", "ours&", true],
])("%s:", (_, kind, holds) => {
  /** Begins a session, lets two requests with its cookie overlap, and returns the keys that it has then. */
  async function overlap(late: string, quick: string): Promise<unknown> {
    const first = await get(`/race?${kind}key=first`);
    const cookie = first.headers
      .getSetCookie()
      .map((line) => line.replace(/;.*/s, ""))
      .join("; ");
    const meanwhile = encodeURIComponent(`${site.url}/race?${kind}${quick}`);
    await get(`/race?${kind}${late}&meanwhile=${meanwhile}`, cookie);
    return (await get(`/race?${kind}`, cookie)).json();
  }

  test("two overlapping requests set different keys", async () => {
    expect(await overlap("key=late", "key=quick")).toEqual(
      holds ? ["first", "quick", "late"] : ["first", "late"],
    );
  });

  test("a request that overlaps with the logout", async () => {
    expect(await overlap("key=late", "logout")).toEqual(holds ? [] : ["first", "late"]);
  });
});
