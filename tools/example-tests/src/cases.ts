import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { formCases } from "./form-cases.ts";
import { begin, get } from "./http.ts";
import type { Case } from "./test-example.ts";
import {
  add,
  cookieHeader,
  cookiesOf,
  formOf,
  isSignedIn,
  isSignedOut,
  itemsOf,
  logIn,
  logOut,
  type Shop,
  still,
} from "./visitor.ts";

async function wholeVisit(shop: Shop, javaScriptEnabled: boolean): Promise<void> {
  const page = await shop.visit({ javaScriptEnabled });
  await page.getByRole("heading", { name: "Shop" }).waitFor();
  await isSignedOut(page);
  await add(page, "tea");
  await add(page, "honey");
  assert.deepEqual(await itemsOf(page), ["tea", "honey"]);

  await logIn(page, "Ada");
  assert.equal((await page.getByRole("status").textContent())?.trim(), "Welcome, Ada.");
  assert.deepEqual(await itemsOf(page), ["tea", "honey"], "the cart comes along");
  await page.reload();
  await isSignedIn(page, "Ada");
  assert.equal(await page.getByText("Welcome, Ada.").count(), 0, "a flash is shown once");

  await logOut(page);
  assert.deepEqual(await itemsOf(page), []);
  await page.reload();
  await isSignedOut(page);
  assert.deepEqual(await itemsOf(page), []);
}

/** The behaviour that every example must show. */
export const cases: readonly Case[] = [
  {
    title: "who only looks gets no cookie",
    async run({ url, visit }) {
      const page = await visit();
      assert.deepEqual(await cookiesOf(page), []);
      const { headers } = await get(`${url}/`, "");
      assert.equal(headers["set-cookie"], undefined);
    },
  },
  {
    title: "a visitor fills the cart, logs in, is welcomed once, and logs out",
    run: (shop) => wholeVisit(shop, true),
  },
  {
    title: "the same without JavaScript",
    run: (shop) => wholeVisit(shop, false),
  },
  {
    title: "what visitors write is shown as text",
    async run({ visit }) {
      const page = await visit();
      const written = `<b title='"'>Ada</b> & "co" &amp;`;
      await add(page, written);
      await logIn(page, written);
      assert.equal((await page.getByRole("status").textContent())?.trim(), `Welcome, ${written}.`);
      assert.deepEqual(await itemsOf(page), [written]);
    },
  },
  ...formCases,
  {
    title: "the download streams, and what it writes at its end is there",
    async run({ visit }) {
      const page = await visit();
      await add(page, "tea");
      await add(page, "honey");
      const link = page.getByRole("link", { name: "Download" });
      const address = new URL((await link.getAttribute("href")) ?? "", page.url()).href;
      const { headers, pieces } = await get(address, await cookieHeader(page));
      assert.match(headers["content-type"] ?? "", /^text\/plain\b/);
      assert.match(headers["content-disposition"] ?? "", /^attachment; filename="?cart\.txt"?/);
      assert.deepEqual(
        pieces.filter((piece) => piece !== ""),
        ["tea\n", "honey\n"],
      );
      await page.reload();
      await page.getByText(/Downloaded: 2\b/).waitFor();

      await add(page, "pears");
      const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
      assert.equal(download.suggestedFilename(), "cart.txt");
      assert.equal(await readFile(await download.path(), "utf8"), "tea\nhoney\npears\n");
      await page.reload();
      await page.getByText(/Downloaded: 3\b/).waitFor();
    },
  },
  {
    title: "an empty cart can be downloaded, and gets no cookie",
    async run({ visit }) {
      const page = await visit();
      const link = page.getByRole("link", { name: "Download" });
      const address = new URL((await link.getAttribute("href")) ?? "", page.url()).href;
      const { status, headers, pieces } = await get(address, "");
      assert.equal(status, 200);
      assert.equal(pieces.join(""), "");
      assert.equal(headers["set-cookie"], undefined);
    },
  },
  {
    title: "scripts cannot read the cookie, and other sites' forms do not send it",
    async run({ visit }) {
      const page = await visit();
      await add(page, "tea");
      const cookies = await cookiesOf(page);
      assert.equal(cookies.length, 1);
      for (const { httpOnly, sameSite, path } of cookies)
        assert.deepEqual({ httpOnly, sameSite, path }, { httpOnly: true, sameSite: "Lax", path: "/" });
      assert.equal(await page.evaluate("document.cookie"), "");
    },
  },
  {
    title: "a login changes the cookie, and the one from before opens nothing",
    async run({ visit }) {
      const page = await visit();
      await add(page, "tea");
      const before = await cookiesOf(page);
      await logIn(page, "Ada");
      const after = await cookiesOf(page);
      assert.notDeepEqual(
        after.map(({ value }) => value),
        before.map(({ value }) => value),
      );
      const thief = await visit({ cookies: before });
      await isSignedOut(thief);
      assert.deepEqual(await itemsOf(thief), []);
    },
  },
  {
    title: "a cookie that was copied before the logout opens nothing after it",
    async run({ visit }) {
      const page = await visit();
      await add(page, "tea");
      await logIn(page, "Ada");
      const copied = await cookiesOf(page);
      const friend = await visit({ cookies: copied });
      await isSignedIn(friend, "Ada");
      await logOut(page);
      const thief = await visit({ cookies: copied });
      await isSignedOut(thief);
      assert.deepEqual(await itemsOf(thief), []);
    },
  },
  {
    title: "a form that was on its way when the visitor logged out brings nothing back",
    async run({ url, visit }) {
      const page = await visit(still);
      await logIn(page, "Ada");
      const copied = await cookiesOf(page);
      const cookie = await cookieHeader(page);
      const end = await begin(await formOf(page, "Add", { Item: "tea" }), cookie);
      await get(`${url}/`, cookie);
      await logOut(page);
      const { status, headers } = await end();
      assert.equal(status, 303);
      assert.equal(headers["set-cookie"], undefined);
      for (const visitor of [page, await visit({ cookies: copied })]) {
        await visitor.reload();
        await isSignedOut(visitor);
        assert.deepEqual(await itemsOf(visitor), []);
      }
    },
  },
  {
    title: "nonsense in the cookie is a fresh page",
    async run({ visit }) {
      const page = await visit();
      await add(page, "tea");
      const cookies = await cookiesOf(page);
      for (const nonsense of [
        (value: string) => value.replace(/[\w-]/g, "a"),
        (value: string) => value.slice(0, -1),
        () => "nonsense",
        () => "%00%FF",
        () => "",
      ]) {
        await page.context().clearCookies();
        await page
          .context()
          .addCookies(cookies.map((cookie) => ({ ...cookie, value: nonsense(cookie.value) })));
        await page.goto("/");
        await isSignedOut(page);
        assert.deepEqual(await itemsOf(page), []);
        await add(page, "honey");
        assert.deepEqual(await itemsOf(page), ["honey"]);
      }
    },
  },
  {
    title: "SIGTERM ends it, though a browser has its page open",
    async run({ visit }, start) {
      const program = await start();
      try {
        const page = await visit({ baseURL: program.url });
        await add(page, "tea");
      } finally {
        await program.stop();
      }
    },
  },
];
