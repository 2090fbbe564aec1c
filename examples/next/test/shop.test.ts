import { rename } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { start } from "./start.ts";
import { ask, form, sessionCookie } from "./visitor.ts";

let shop: Awaited<ReturnType<typeof start>>;
beforeAll(async () => {
  shop = await start();
});
afterAll(() => shop.stop());

/** Returns the ids of the stored sessions. */
async function stored(): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of shop.sessions.list()) ids.push(id);
  return ids;
}

async function add(item: string, headers: Record<string, string> = {}): Promise<Response> {
  return ask(shop.url, { method: "POST", headers, body: await form(shop.url, "Add", { item }) });
}

async function page(cookie: string): Promise<string> {
  return (await ask(shop.url, { headers: { cookie } })).text();
}

test("a page that is not there sets no cookie, and ends no session", async () => {
  const cookie = sessionCookie(await add("tea"));
  const before = await stored();
  for (const headers of [{}, { cookie }]) {
    const response = await ask(`${shop.url}/nothing`, { headers });
    expect(response.status).toBe(404);
    expect(response.headers.getSetCookie()).toEqual([]);
  }
  expect(await stored()).toEqual(before);
  expect(await page(cookie)).toContain("<li>tea</li>");
});

test("where the backend is down pages and actions are errors, and nobody is logged out", async () => {
  const cookie = sessionCookie(await add("tea"));
  const body = await form(shop.url, "Add", { item: "honey" });
  await rename(shop.folder, `${shop.folder}-away`);
  try {
    for (const init of [{}, { method: "POST", body }]) {
      const response = await ask(shop.url, { headers: { cookie }, ...init });
      expect(response.status).toBe(500);
      expect(response.headers.getSetCookie()).toEqual([]);
    }
    const newcomer = await ask(shop.url, { method: "POST", body });
    expect(newcomer.status).toBe(500);
    expect(newcomer.headers.getSetCookie()).toEqual([]);
  } finally {
    await rename(`${shop.folder}-away`, shop.folder);
  }
  expect(await page(cookie)).toContain("<li>tea</li>");
});

test("an action that is called by fetch, as the client's code does, sets the cookie too", async () => {
  const [[hidden = ""] = []] = [...(await form(shop.url, "Add"))];
  // React's format for arguments. The first argument is a form with one field.
  const body = new FormData();
  body.set("_1_item", "tea");
  body.set("0", '["$K1"]');
  const response = await ask(shop.url, {
    method: "POST",
    headers: { "Next-Action": hidden.replace("$ACTION_ID_", ""), Accept: "text/x-component" },
    body,
  });
  expect(response.headers.get("x-action-redirect")).toContain("/");
  expect(response.headers.get("Cache-Control")).toContain("no-store");
  // The next page is in the same response, and shows the write.
  expect(await response.text()).toContain('"tea"');
  expect(await page(sessionCookie(response))).toContain("<li>tea</li>");
});

test("a form from another site begins no session, which would take the place of the visitor's own", async () => {
  const before = await stored();
  for (const headers of [{}, { Origin: "https://elsewhere.example" }]) {
    const response = await add("tea", { "Sec-Fetch-Site": "cross-site", ...headers });
    expect(response.headers.getSetCookie()).toEqual([]);
    // Next itself refuses the second one.
    expect(response.status).toBe("Origin" in headers ? 500 : 303);
  }
  expect(await stored()).toEqual(before);
});
