import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { example, start } from "./start.ts";
import { ask, form, sessionCookie } from "./visitor.ts";

// The routes of test/site show what the shop does not need.
let site: Awaited<ReturnType<typeof start>>;
beforeAll(async () => {
  await promisify(execFile)("node_modules/.bin/next", ["build", "test/site"], {
    cwd: example,
    env: { ...process.env, NODE_ENV: "production", NEXT_TELEMETRY_DISABLED: "1" },
  });
  site = await start("test/site");
}, 300_000);
afterAll(() => site.stop());

const post = (path: string, init: RequestInit = {}): Promise<Response> =>
  ask(site.url + path, { method: "POST", ...init });

/** Returns how many sessions are stored. */
async function stored(): Promise<number> {
  let count = 0;
  for await (const _ of site.sessions.list()) count++;
  return count;
}

/** Returns the data of that cookie's session. */
async function held(cookie: string): Promise<{ principal: string | undefined; items: unknown }> {
  const session = await site.sessions.open(cookie);
  return { principal: session.principal, items: session.store("cart").get("items") };
}

describe("a route handler", () => {
  test("has its own cookies beside ours, set either way", async () => {
    const response = await post("/own-cookies");
    const names = response.headers.getSetCookie().map((line) => line.split("=")[0]);
    expect(names.toSorted()).toEqual(["__Host-sid", "seen", "theme"]);
    const [ours = ""] = response.headers.getSetCookie().filter((line) => line.startsWith("__Host-sid="));
    for (const attribute of [/; HttpOnly/i, /; Secure/i, /; SameSite=Lax/i, /; Path=\/(;|$)/i])
      expect(ours).toMatch(attribute);
    expect(await held(sessionCookie(response))).toEqual({ principal: undefined, items: ["tea"] });
  });

  test("that calls redirect() inside of withSession loses what it staged; a returned redirect keeps it", async () => {
    const before = await stored();
    const thrown = await post("/redirects");
    expect([thrown.status, thrown.headers.get("Location")]).toEqual([307, "/login"]);
    expect(thrown.headers.getSetCookie()).toEqual([]);
    expect(await stored()).toBe(before);

    const returned = await post("/redirects?returned");
    expect([returned.status, returned.headers.get("Location")]).toEqual([303, "/login"]);
    expect(await held(sessionCookie(returned))).toEqual({ principal: undefined, items: ["tea"] });
  });

  test("that throws answers with an error page, without a cookie and without a record", async () => {
    const cookie = sessionCookie(await post("/own-cookies"));
    const before = await stored();
    for (const headers of [{}, { cookie }]) {
      const response = await post("/throws", { headers });
      expect(response.status).toBe(500);
      expect(response.headers.getSetCookie()).toEqual([]);
    }
    expect(await stored()).toBe(before);
    expect(await held(cookie)).toEqual({ principal: undefined, items: ["tea"] });
  });
});

describe("rendering", () => {
  test("cannot begin a session, and says so at once; it writes to one that the visitor has", async () => {
    const before = await stored();
    const refused = await ask(`${site.url}/first-write`);
    expect(refused.status).toBe(500);
    expect(refused.headers.getSetCookie()).toEqual([]);
    expect(await stored()).toBe(before);
    await expect.poll(() => site.output()).toContain("ERR_SESSION_HEADERS_SENT");

    const cookie = sessionCookie(await post("/own-cookies"));
    const response = await ask(`${site.url}/first-write`, { headers: { cookie } });
    expect(response.status).toBe(200);
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(await held(cookie)).toEqual({ principal: undefined, items: ["page"] });
  });

  test("writes late, while the page streams, and has it stored before the page's end", async () => {
    const cookie = sessionCookie(await post("/own-cookies"));
    const { body } = await ask(`${site.url}/late`, { headers: { cookie } });
    const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes("Early")) text += (await reader?.read())?.value ?? "";
    const elsewhere = await site.sessions.get((await site.sessions.open(cookie)).id);
    elsewhere?.store("client").set("beginning", text);
    await elsewhere?.commit();
    for (let piece = await reader?.read(); piece?.value !== undefined; piece = await reader?.read())
      text += piece.value;
    expect(text).toContain("Written");
    expect(await held(cookie)).toEqual({ principal: undefined, items: ["tea", "late"] });
  });
});

describe("an action", () => {
  test("logs in, writes, and renders the page, all in one response, with its own cookie beside ours", async () => {
    const response = await post("/login", { body: await form(`${site.url}/login`, "Log in") });
    expect(await response.text()).toContain("<p>Ada</p>");
    expect(response.headers.getSetCookie().some((line) => line.startsWith("theme=dark"))).toBe(true);
    expect(await held(sessionCookie(response))).toEqual({ principal: "Ada", items: ["tea"] });
  });

  test("whose answer is an error keeps what changeSession() stored before, and sends its cookie", async () => {
    for (const [button, status] of [
      ["Throw after", 500],
      ["Not found after", 404],
    ] as const) {
      const response = await post("/login", { body: await form(`${site.url}/login`, button) });
      expect(response.status).toBe(status);
      expect((await held(sessionCookie(response))).principal).toBe("Eve");
    }
  });

  test("that calls redirect() inside of changeSession() loses what it staged", async () => {
    const before = await stored();
    const response = await post("/login", { body: await form(`${site.url}/login`, "Redirect inside") });
    expect([response.status, response.headers.get("Location")]).toEqual([303, "/login"]);
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(await stored()).toBe(before);
  });
});

/** Code as for iron-session. The tests of @sessions/iron-session have the rules; these show them in Next.js. */
describe("getIronSession()", () => {
  const page = async (cookie: string): Promise<unknown> => {
    const html = await (await ask(`${site.url}/iron`, { headers: { cookie } })).text();
    return JSON.parse((/<pre>(.*?)<\/pre>/.exec(html)?.[1] ?? "").replaceAll("&quot;", '"'));
  };
  const api = (method: string, cookie = ""): Promise<Response> =>
    ask(`${site.url}/api/iron`, { method, headers: { cookie } });
  const click = async (button: string, cookie = ""): Promise<Response> =>
    post("/iron", { headers: { cookie }, body: await form(`${site.url}/iron`, button) });

  test("in actions: a login is read by a page, and a copied cookie is dead after destroy()", async () => {
    const cookie = sessionCookie(await click("Log in"));
    expect(await page(cookie)).toEqual({ userId: "Ada" });
    expect((await held(cookie)).principal).toBe("Ada");
    const out = await click("Log out", cookie);
    expect(sessionCookie(out)).toBe("__Host-sid=");
    expect(await page(cookie)).toEqual({});
  });

  test("in route handlers: two overlapping requests that write different keys lose nothing", async () => {
    const cookie = sessionCookie(await click("Log in"));
    const responses = await Promise.all(
      ["first", "second"].map((key) => post(`/iron/write?${key}`, { headers: { cookie } })),
    );
    expect(responses.map(({ status }) => status)).toEqual([200, 200]);
    expect(await page(cookie)).toEqual({ userId: "Ada", first: "written", second: "written" });
  });

  test("in an API route of the pages router: the same session, the same end", async () => {
    const cookie = sessionCookie(await api("POST"));
    expect(await (await api("GET", cookie)).json()).toEqual({ userId: "Ada" });
    expect(await page(cookie)).toEqual({ userId: "Ada" });
    expect(sessionCookie(await api("DELETE", cookie))).toBe("__Host-sid=");
    expect(await page(cookie)).toEqual({});
  });
});
