import type { CookieOptions } from "@sessions/core";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import {
  form,
  inBrowser,
  logIn,
  OTHER,
  OURS,
  pages,
  profile,
  type Shop,
  type Site,
  SUBDOMAIN,
  shop,
  shown,
  visit,
  visitor,
} from "./support.ts";

type Way = (page: Page, elsewhere: string, ours: string) => Promise<unknown>;

const clicking =
  (path: string): Way =>
  async (page, elsewhere, ours) => {
    await page.goto(elsewhere + path);
    await Promise.all([page.waitForURL(ours), page.click("a, button")]);
  };

const fetching =
  (method: string): Way =>
  async (page, elsewhere, ours) => {
    await page.goto(elsewhere);
    await page.evaluate(`fetch("${ours}", { method: "${method}", mode: "no-cors", credentials: "include" })`);
  };

/** Ways in which another site's page sends a browser to us. */
const ways: Record<string, Way> = {
  link: clicking("/link"),
  "form POST": clicking("/post"),
  iframe: (page, elsewhere) => page.goto(`${elsewhere}/iframe`),
  "fetch GET": fetching("GET"),
  "fetch POST": fetching("POST"),
};

/** Pages of other sites that send browsers to `ours`. */
const pagesThatSendTo = (ours: string, tls = true): Promise<Site> =>
  pages(
    {
      "/": "",
      "/link": `<a href="${ours}">there</a>`,
      "/post": form(ours),
      "/iframe": `<iframe src="${ours}"></iframe>`,
    },
    { tls },
  );

const valueIn = (cookie: string): string | undefined => /sid=([^;]+)/.exec(cookie)?.[1];

/** The result of each way, for a request that writes. */
async function tryAll(page: Page, site: Shop, from: string, tls = true): Promise<Record<string, string>> {
  const jar = async (): Promise<string[]> => (await page.context().cookies()).map(({ value }) => value);
  const [mine] = await jar();
  const ours = site.url(OURS, "/write");
  const elsewhere = (await pagesThatSendTo(ours, tls)).url(from, "");
  const became: Record<string, string> = {};
  for (const [way, go] of Object.entries(ways)) {
    site.requests.length = 0;
    site.backend.calls.length = 0;
    await go(page, elsewhere, ours);
    const { cookie, given } = site.asked("/write");
    const [sent] = given();
    if (cookie !== undefined)
      became[way] = valueIn(cookie) === mine ? "carries the cookie" : "carries the new cookie";
    else if (sent === undefined)
      became[way] = site.backend.calls.length === 0 ? "stores nothing" : "stores without a cookie";
    else
      became[way] = (await jar()).includes(valueIn(sent) ?? "")
        ? "is given a new cookie"
        : "is given a cookie that the browser refuses";
  }
  return became;
}

const lax: CookieOptions = { sameSite: "lax" };
const strict: CookieOptions = { sameSite: "strict" };
const none: CookieOptions = { sameSite: "none" };
const partitioned: CookieOptions = { sameSite: "none", partitioned: true };

const all = (what: string): Record<string, string> =>
  Object.fromEntries(Object.keys(ways).map((way) => [way, what]));

inBrowser("a visitor who is sent to us by another site", () => {
  const carries = "carries the cookie";
  const muted = "stores nothing";
  const refused = "is given a cookie that the browser refuses";
  const framed = { iframe: refused, "fetch GET": refused, "fetch POST": muted };
  const others = {
    iframe: "is given a new cookie",
    "fetch GET": "carries the new cookie",
    "fetch POST": "carries the new cookie",
  };

  test.each<["allowed" | "blocked", string, CookieOptions, Record<string, string>]>([
    ["allowed", "Lax", lax, { link: carries, "form POST": muted, ...framed }],
    ["allowed", "Strict", strict, all(muted)],
    ["allowed", "None", none, all(carries)],
    ["blocked", "None", none, { link: carries, "form POST": carries, ...framed }],
    ["allowed", "Partitioned", partitioned, { link: carries, "form POST": carries, ...others }],
    ["blocked", "Partitioned", partitioned, { link: carries, "form POST": carries, ...others }],
  ])(
    "third-party cookies %s, %s: stays logged in, and each way in is as it should be",
    async (third, _, cookie, expected) => {
      const site = await shop({ cookie });
      const page = await (await profile(third)).start();
      await logIn(page, site);
      expect(await tryAll(page, site, OTHER)).toEqual(expected);
      const writes = 1 + Object.values(expected).filter((became) => became === carries).length;
      expect(await visit(page, site)).toBe(`ada, ${writes}`);
    },
  );

  test("is another site's visitor to a page of our name over http, too", async () => {
    const site = await shop({ cookie: strict });
    const page = await visitor();
    await logIn(page, site);
    expect(await tryAll(page, site, OURS, false)).toEqual(all(muted));
    expect(await visit(page, site)).toBe("ada, 1");
  });

  test("is ours to every page of a subdomain, with Strict, too", async () => {
    const site = await shop({ cookie: strict });
    const page = await visitor();
    await logIn(page, site);
    expect(await tryAll(page, site, SUBDOMAIN)).toEqual(all(carries));
  });

  test.each([
    ["Lax", "form POST", lax],
    ["Strict", "link", strict],
    ["Strict", "form POST", strict],
  ])("%s: comes by a %s as nobody, and is logged in at the next click", async (_, way, cookie) => {
    const site = await shop({ cookie });
    const page = await visitor();
    await logIn(page, site);
    const ours = site.url(OURS, "/write");
    await ways[way]?.(page, (await pagesThatSendTo(ours)).url(OTHER, ""), ours);
    expect(await shown(page)).toBe("nobody, 1");
    await Promise.all([page.waitForURL("**/next"), page.click("a")]);
    expect(await shown(page)).toBe("ada, 1");
  });

  test.each([
    ["Lax", "ada, 0", lax],
    ["Strict", "nobody, 0", strict],
  ])("%s: is logged in by a form POST, and its redirect shows %s", async (_, first, cookie) => {
    const site = await shop({ cookie });
    const page = await visitor();
    const other = await pagesThatSendTo(site.url(OURS, "/login"));
    await page.goto(other.url(OTHER, "/post"));
    await Promise.all([page.waitForURL(site.url(OURS)), page.click("button")]);
    expect(await shown(page)).toBe(first);
    await Promise.all([page.waitForURL("**/next"), page.click("a")]);
    expect(await shown(page)).toBe("ada, 0");
  });

  test.each([
    ["Lax", lax],
    ["Strict", strict],
    ["None", none],
    ["Partitioned", partitioned],
  ])("%s: is logged in where we led there and a redirect leads back at once", async (_, cookie) => {
    const site = await shop({ cookie });
    const other = await pages({ "/sign-in": { location: site.url(OURS, "/back") } });
    const page = await visitor();
    await logIn(page, site);
    await page.evaluate(`location.href = "${other.url(OTHER, "/sign-in")}"`);
    await page.waitForURL("**/back");
    expect([site.asked("/back").from, await shown(page)]).toEqual(["cross-site", "ada, 1"]);
  });

  test("over http is not known for one, and a form POST that writes logs out", async () => {
    const site = await shop({ tls: false });
    const page = await visitor();
    await logIn(page, site);
    const other = await pagesThatSendTo(site.url(OURS, "/write"), false);
    site.requests.length = 0;
    await ways["form POST"]?.(page, other.url(OTHER, ""), site.url(OURS, "/write"));
    expect(site.asked("/write")).toMatchObject({ from: undefined, cookie: undefined });
    expect(await visit(page, site)).toBe("nobody, 1");
  });
});
