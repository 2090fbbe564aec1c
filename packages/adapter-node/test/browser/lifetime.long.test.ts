import type { CookieOptions, SessionManagerOptions } from "@sessions/core";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { inBrowser, logIn, OURS, press, profile, SUBDOMAIN, shop, shown, visit, visitor } from "./support.ts";

const HOUR = 3_600_000;

/** When the browser's only cookie expires, in epoch milliseconds; -1 for a cookie that ends with the browser. */
async function expiry(page: Page): Promise<number> {
  const [cookie, ...others] = await page.context().cookies();
  if (!cookie || others.length > 0) throw new Error("There is not one cookie");
  return cookie.expires === -1 ? -1 : cookie.expires * 1000;
}

inBrowser("how long the browser keeps the cookie", () => {
  test.each<[string, SessionManagerOptions, number]>([
    ["by default: 30 days, the absolute timeout", {}, 30 * 24],
    ["another absolute timeout: as long as that", { absolute: "7d" }, 7 * 24],
    ["no absolute timeout: 400 days", { absolute: false }, 400 * 24],
    ["more than browsers keep: 400 days", { cookie: { maxAge: "500d" } }, 400 * 24],
    ["maxAge: as long as that, whatever the session", { cookie: { maxAge: "1h" } }, 1],
  ])("%s", async (_, options, hours) => {
    const site = await shop(options);
    const page = await visitor();
    const before = Date.now();
    await logIn(page, site);
    const at = await expiry(page);
    // The browser counts by its own clock, in whole microseconds.
    expect(at).toBeGreaterThanOrEqual(before + hours * HOUR - 1000);
    expect(at).toBeLessThanOrEqual(Date.now() + hours * HOUR + 1000);
  });

  test.each<[string, CookieOptions, boolean, string]>([
    ["by default: still logged in", {}, false, "ada, 1"],
    ['maxAge "session": nobody', { maxAge: "session" }, false, "nobody, 0"],
    [
      'maxAge "session", with the windows as they were: still logged in',
      { maxAge: "session" },
      true,
      "ada, 1",
    ],
  ])("who closes the browser and starts it again, %s", async (_, cookie, reopens, who) => {
    const site = await shop({ cookie });
    const { start } = await profile("blocked", { reopens });
    const page = await start();
    await logIn(page, site);
    expect((await expiry(page)) === -1).toBe(cookie.maxAge === "session");
    expect(await visit(await start(), site)).toBe(who);
  });

  test("use moves the session's expiry, and never the cookie's", async () => {
    let now = Date.now();
    const site = await shop({ clock: () => now, idle: "24h" });
    const page = await visitor();
    await logIn(page, site);
    const before = await expiry(page);
    for (const path of ["/first", "/second", "/third"]) {
      now += 20 * HOUR;
      site.backend.calls.length = 0;
      expect(await visit(page, site, OURS, path)).toBe("ada, 1");
      expect([site.asked(path).given(), site.backend.calls]).toEqual([[], ["load", "commit"]]);
    }
    await press(page, "/write");
    expect([await shown(page), await expiry(page)]).toEqual(["ada, 2", before]);
  });

  test("it outlives an idle session, and the next one replaces it", async () => {
    let now = Date.now();
    const site = await shop({ clock: () => now, idle: "24h" });
    const page = await visitor();
    await logIn(page, site);
    const value = async (): Promise<string | undefined> => (await page.context().cookies())[0]?.value;
    const before = await value();
    now += 24 * HOUR;
    expect(await visit(page, site)).toBe("nobody, 0");
    expect(await value()).toBe(before);
    await press(page, "/write");
    expect(await visit(page, site)).toBe("nobody, 1");
    expect(await value()).not.toBe(before);
    expect(await page.context().cookies()).toHaveLength(1);
  });

  test("a login moves it", async () => {
    const site = await shop();
    const page = await visitor();
    await logIn(page, site);
    const before = await expiry(page);
    await press(page, "/login");
    expect(await shown(page)).toBe("ada, 1");
    expect(await expiry(page)).toBeGreaterThan(before);
  });

  test.each<[string, CookieOptions, string]>([
    ["by default", {}, OURS],
    ["Strict", { sameSite: "strict" }, OURS],
    ["None", { sameSite: "none" }, OURS],
    ["partitioned", { sameSite: "none", partitioned: true }, OURS],
    ["of a domain, at a subdomain", { domain: OURS }, SUBDOMAIN],
    ["with another name", { name: "mine" }, OURS],
    ["until the browser closes", { maxAge: "session" }, OURS],
  ])("%s: the logout removes it", async (_, cookie, host) => {
    const site = await shop({ cookie });
    const page = await visitor();
    await logIn(page, site);
    expect(await page.context().cookies()).toHaveLength(1);
    await visit(page, site, host);
    await press(page, "/logout");
    expect(await page.context().cookies()).toEqual([]);
    expect(await visit(page, site)).toBe("nobody, 0");
    expect(site.requests.at(-1)?.cookie).toBeUndefined();
  });

  test("with a path: the logout removes it", async () => {
    const site = await shop({ cookie: { path: "/app" } });
    const page = await visitor();
    await page.goto(site.url(OURS, "/app"));
    await page.evaluate("fetch('/app/write', { method: 'POST' })");
    expect(await page.context().cookies()).toHaveLength(1);
    await page.evaluate("fetch('/app/logout', { method: 'POST' })");
    expect(await page.context().cookies()).toEqual([]);
  });

  test("with other options than before: the old one stays, and the logout ends its session all the same", async () => {
    const before = await shop({ cookie: { name: "sid" } });
    const after = await shop({ cookie: { name: "sid", domain: OURS }, driver: before.backend.driver });
    const page = await visitor();
    await logIn(page, before);
    expect(await visit(page, after)).toBe("ada, 1");
    await press(page, "/logout");
    expect(await page.context().cookies()).toHaveLength(1);
    expect(await visit(page, before)).toBe("nobody, 0");
    await logIn(page, after);
    expect(await page.context().cookies()).toHaveLength(2);
    expect(await visit(page, after)).toBe("ada, 1");
  });

  test("with other options than before: what a visitor writes is dropped for two minutes after the logout", async () => {
    let now = Date.now();
    const clock = (): number => now;
    const before = await shop({ cookie: { name: "sid" }, clock });
    const after = await shop({ cookie: { name: "sid", domain: OURS }, clock, driver: before.backend.driver });
    const page = await visitor();
    await logIn(page, before);
    await page.goto(after.url(OURS));
    await press(page, "/logout");
    await press(page, "/write");
    expect(await visit(page, after)).toBe("nobody, 0");
    now += 120_000;
    await press(page, "/write");
    expect(await visit(page, after)).toBe("nobody, 1");
  });
});
