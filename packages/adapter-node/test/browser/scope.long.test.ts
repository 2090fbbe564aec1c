import { type CookieOptions, createSessionManager } from "@sessions/core";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import {
  inBrowser,
  logIn,
  OTHER,
  OURS,
  pages,
  type Shop,
  type Site,
  SUBDOMAIN,
  shop,
  visit,
  visitor,
} from "./support.ts";

const names = async (page: Page): Promise<string[]> =>
  (await page.context().cookies()).map(({ name }) => name);

/** A well-formed token of no session. */
const forged = (digit: string): string => `${digit.repeat(32)}.${"A".repeat(43)}`;

/** Opens a page of a server that sets these cookies. */
async function setElsewhere(page: Page, host: string, cookies: string[], tls = true): Promise<Site> {
  const server = await pages({ "/": { "set-cookie": cookies } }, { tls });
  await page.goto(server.url(host));
  return server;
}

/** How often the last request carried the cookie. */
const copies = ({ requests }: Shop): number => requests.at(-1)?.cookie?.split("; ").length ?? 0;

inBrowser("where the cookie goes", () => {
  test.each<[string, CookieOptions, string, string]>([
    ["without a domain: to its host alone", {}, "__Host-sid", "nobody, 0"],
    ["with one: to its subdomains too", { domain: OURS }, "__Secure-sid", "ada, 1"],
  ])("%s", async (_, cookie, name, there) => {
    const site = await shop({ cookie });
    const page = await visitor();
    await logIn(page, site);
    expect(await names(page)).toEqual([name]);
    expect(await visit(page, site, SUBDOMAIN)).toBe(there);
    expect(await visit(page, site, OTHER)).toBe("nobody, 0");
  });

  test("with a path: below it alone, and it keeps nothing from a page of another path", async () => {
    const site = await shop({ cookie: { path: "/app" } });
    const page = await visitor();
    await page.goto(site.url(OURS, "/app"));
    await page.evaluate("fetch('/app/write', { method: 'POST' })");
    expect(await names(page)).toEqual(["__Secure-sid"]);
    expect(await visit(page, site, OURS, "/app/deep")).toBe("nobody, 1");
    expect(await visit(page, site, OURS, "/application")).toBe("nobody, 0");
    expect(await visit(page, site, OURS, "/")).toBe("nobody, 0");
    const frame = `new Promise((done) => {
      const frame = document.createElement("iframe");
      frame.onload = () => done(frame.contentDocument.querySelector("p").textContent);
      frame.src = "/app";
      document.body.append(frame);
    })`;
    expect(await page.evaluate(frame)).toBe("nobody, 1");
  });

  test("to every port: two applications log each other's visitors out, until their names differ", async () => {
    const [one, same, different] = [await shop(), await shop(), await shop({ cookie: { name: "__Host-b" } })];
    const page = await visitor();
    for (const site of [one, same, different]) await logIn(page, site);
    expect(await visit(page, one)).toBe("nobody, 0");
    expect(await visit(page, same)).toBe("ada, 1");
    expect(await visit(page, different)).toBe("ada, 1");
  });

  describe("nowhere, because the browser silently drops it:", () => {
    test.each<[string, CookieOptions]>([
      ["sid=1; SameSite=None", { sameSite: "none", secure: false }],
      ["sid=1; SameSite=None; Partitioned", { sameSite: "none", partitioned: true, secure: false }],
      ["__Host-sid=1; Path=/", { name: "__Host-sid", secure: false }],
      ["__Secure-sid=1; Path=/", { name: "__Secure-sid", secure: false }],
      [
        "__Host-sid=1; Path=/; Secure; Domain=shop.example",
        { name: "__Host-sid", secure: true, domain: OURS },
      ],
      ["__Host-sid=1; Path=/app; Secure", { name: "__Host-sid", secure: true, path: "/app" }],
    ])("%s, so the manager refuses its options", async (header, cookie) => {
      const page = await visitor();
      await setElsewhere(page, OURS, [header, "other=1"]);
      expect(await names(page)).toEqual(["other"]);
      expect(() => createSessionManager({ cookie })).toThrow("cookie");
    });

    test("a domain that is not the host's, which no manager can know", async () => {
      const site = await shop({ cookie: { domain: OTHER } });
      const page = await visitor();
      await logIn(page, site);
      expect([await names(page), await visit(page, site)]).toEqual([[], "nobody, 0"]);
    });
  });
});

inBrowser("a cookie of our name that somebody else sets", () => {
  /** Cookies that a subdomain can plant under our name, for a page at /x. */
  const planted = (name: string): string[] => [
    `${name}=${forged("1")}; Domain=${OURS}; Path=/; Secure`,
    `${name}=${forged("2")}; Domain=${OURS}; Path=/x; Secure`,
  ];

  test.each<[string, boolean, string, CookieOptions, string[], number]>([
    [SUBDOMAIN, true, "__Host-sid", {}, planted("__Host-sid"), 1],
    [SUBDOMAIN, true, "sid", { name: "sid" }, planted("sid"), 3],
    [SUBDOMAIN, false, "sid", { name: "sid" }, [`sid=${forged("1")}; Domain=${OURS}; Path=/x`], 1],
    [SUBDOMAIN, false, "__Secure-sid", { domain: OURS }, planted("__Secure-sid"), 1],
    [OURS, false, "__Host-sid", {}, [`__Host-sid=${forged("1")}; Path=/`], 1],
    [OURS, false, "sid", { name: "sid" }, [`sid=${forged("1")}; Path=/`, `sid=${forged("2")}; Path=/x`], 1],
  ])("at %s (https: %s), as %s, does not log out", async (host, tls, _, cookie, set, expected) => {
    const site = await shop({ cookie });
    const page = await visitor();
    await logIn(page, site);
    await setElsewhere(page, host, set, tls);
    expect(await visit(page, site, OURS, "/x")).toBe("ada, 1");
    expect(copies(site)).toBe(expected);
  });

  test("replaces ours where a domain made it theirs too", async () => {
    const site = await shop({ cookie: { domain: OURS } });
    const page = await visitor();
    await logIn(page, site);
    await setElsewhere(page, SUBDOMAIN, planted("__Secure-sid").slice(0, 1));
    expect(await visit(page, site)).toBe("nobody, 0");
  });

  test.each<[string, string, CookieOptions]>([
    ["sid", "mallory, 0", { name: "sid" }],
    ["__Host-sid", "ada, 1", {}],
  ])("as %s, with a session of their own: the visitor is %s", async (name, who, cookie) => {
    const site = await shop({ cookie });
    const mallory = site.sessions.create();
    mallory.login("mallory");
    const { token } = await mallory.commit();
    const page = await visitor();
    await logIn(page, site);
    await setElsewhere(page, SUBDOMAIN, [`${name}=${token}; Domain=${OURS}; Path=/x; Secure`]);
    expect(await visit(page, site, OURS, "/x")).toBe(who);
  });

  test.each<[string, string[] | undefined, string]>([
    ["logs out on the pages that they are for", undefined, "nobody, 0"],
    ["does nothing where the token is signed", ["q7Zr0kVb9LwXe2TnYc5Gm8HsDp4JuAfK"], "ada, 1"],
  ])("as sid, sixteen times, %s", async (_, secrets, there) => {
    const site = await shop({ cookie: { name: "sid" }, secrets });
    const page = await visitor();
    await logIn(page, site);
    const paths = Array.from({ length: 16 }, (_path, depth) => `/x${"/y".repeat(depth)}`);
    const set = paths.map((path, digit) => `sid=${forged(digit.toString(16))}; Domain=${OURS}; Path=${path}`);
    await setElsewhere(page, SUBDOMAIN, set);
    expect(await visit(page, site, OURS, paths.at(-1) ?? "")).toBe(there);
    expect(copies(site)).toBe(17);
    expect(await visit(page, site, OURS, paths.at(-2) ?? "")).toBe("ada, 1");
  });
});
