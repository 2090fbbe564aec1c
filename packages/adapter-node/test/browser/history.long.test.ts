import type { OutgoingHttpHeaders } from "node:http";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { inBrowser, logIn, OURS, press, type Shop, shop, shown, visitor } from "./support.ts";

/** Opens a page, logs out, and goes back. Returns what the page shows then, and whether the browser had kept it. */
async function comeBack(page: Page, site: Shop, path: string): Promise<[string, string]> {
  await page.goto(site.url(OURS, path));
  // A page from the back/forward cache keeps its variables, because it is not loaded again.
  await page.evaluate("window.kept = true");
  await press(page, "/logout");
  site.requests.length = 0;
  await page.goBack({ waitUntil: "commit" });
  await page.waitForURL(`**${path}`, { waitUntil: "commit" });
  await page.waitForFunction("document.readyState === 'complete'");
  const asked = site.requests.some((request) => request.path === path);
  const kept = await page.evaluate("window.kept === true");
  return [await shown(page), asked ? "the server" : kept ? "the back/forward cache" : "the HTTP cache"];
}

/** Sends a header with every page. */
const always = (value: string): (() => OutgoingHttpHeaders) => {
  const headers = { "cache-control": value };
  return () => headers;
};

for (const [browser, cache, without] of [
  ["with a back/forward cache", "the back/forward cache", ["--disable-back-forward-cache"]],
  ["without a back/forward cache", "the HTTP cache", []],
] as const)
  inBrowser(
    `after a logout, in a browser ${browser}, the Back button`,
    () => {
      test.each<[string, (() => OutgoingHttpHeaders) | undefined]>([
        ["nothing", undefined],
        ["Cache-Control: no-cache", always("no-cache")],
        ["Cache-Control: private, max-age=600", always("private, max-age=600")],
      ])("shows the private page again where the application sends %s", async (_, headers) => {
        const site = await shop(headers && { headers });
        const page = await visitor();
        await logIn(page, site);
        expect(await comeBack(page, site, "/private")).toEqual(["ada, 1", cache]);
      });

      test.each<[string, (path: string) => OutgoingHttpHeaders]>([
        ["Cache-Control: private, no-store", always("private, no-store")],
        ["Cache-Control: no-store", always("no-store")],
      ])("asks the server where the application sends %s", async (_, headers) => {
        const site = await shop({ headers });
        const page = await visitor();
        await logIn(page, site);
        expect(await comeBack(page, site, "/private")).toEqual(["nobody, 0", "the server"]);
      });

      test("loads a page that came with the cookie again, without any setting", async () => {
        const site = await shop();
        const page = await visitor();
        expect(await comeBack(page, site, "/first/write")).toEqual(["nobody, 1", "the server"]);
      });
    },
    { without },
  );

/** Sends a header with the logout only. */
const clearing = (path: string): OutgoingHttpHeaders =>
  path === "/logout" ? { "clear-site-data": '"cache"' } : {};

inBrowser('Clear-Site-Data: "cache" with a logout', () => {
  test("empties the HTTP cache", async () => {
    const site = await shop({ headers: clearing });
    const page = await visitor();
    await logIn(page, site);
    expect(await comeBack(page, site, "/private")).toEqual(["nobody, 0", "the server"]);
  });
});

inBrowser(
  'Clear-Site-Data: "cache" with a logout, in a browser with a back/forward cache',
  () => {
    test("does not prevent that the page with the logout button is shown again", async () => {
      const site = await shop({ headers: clearing });
      const page = await visitor();
      await logIn(page, site);
      expect(await comeBack(page, site, "/private")).toEqual(["ada, 1", "the back/forward cache"]);
    });
  },
  { without: ["--disable-back-forward-cache"] },
);

inBrowser("after a logout, a link to the private page", () => {
  test.each<[string, string, (() => OutgoingHttpHeaders) | undefined]>([
    ["Cache-Control: private, max-age=600", "ada, 1", always("private, max-age=600")],
    ["Cache-Control: no-cache", "nobody, 0", always("no-cache")],
    ["nothing", "nobody, 0", undefined],
  ])("that came with %s shows %s", async (_, there, headers) => {
    const site = await shop(headers && { headers });
    const page = await visitor();
    await logIn(page, site);
    await page.goto(site.url(OURS, "/next"));
    await page.goto(site.url(OURS));
    await press(page, "/logout");
    await Promise.all([page.waitForURL("**/next"), page.getByRole("link", { name: "next" }).click()]);
    expect(await shown(page)).toBe(there);
  });
});
