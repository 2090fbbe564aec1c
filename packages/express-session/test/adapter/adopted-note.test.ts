import { createHmac } from "node:crypto";
import session from "express-session";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import {
  ADA,
  ask,
  cookieOf,
  ENDED,
  kept,
  type NewSite,
  OURS,
  SECRET,
  startNewSite,
  visitOldSite,
} from "./sites.ts";

const NOTE = "@sessions/adopted";

/** A visitor of the new site who logs out at `/logout`. */
const startSite = (store: session.Store, secret: string | string[] = SECRET): Promise<NewSite> =>
  startNewSite(store, {
    secret,
    routes: (app) =>
      app.post("/logout", async (req, res) => {
        await req.session.logout();
        res.end();
      }),
  });

/** Somebody else's session, of which a visitor knows the id. */
async function logInVictim({ sessions }: NewSite) {
  const victim = sessions.create();
  victim.login("victim");
  await victim.commit();
  return { id: victim.id, lives: async () => (await sessions.get(victim.id)) !== undefined };
}

const logOut = (url: string, cookie: string) => ask(`${url}/logout`, cookie, { method: "POST" });
const noteOf = async (store: session.Store, sid: string): Promise<unknown> =>
  Reflect.get((await kept(store, sid)) ?? {}, NOTE);
const mac = (text: string): string => createHmac("sha256", SECRET).update(text).digest("hex");

describe("where an application lets its visitors name a key of the old session, a note that they write", () => {
  test.each<[string, (id: string, now: number) => unknown]>([
    ["is not signed", (id, now) => `${now} ${id}`],
    ["is not signed, and names no session", (_id, now) => `${now}`],
    ["is not signed, and of a time to come", (id) => `9999999999999 ${id}`],
    ["has a signature of nothing", (id, now) => `${now} ${id} `],
    ["has the signature of another key", (id, now) => `${now} ${id} ${"0".repeat(64)}`],
    ["has the signature that signs cookies", (id, now) => `${now} ${id} ${mac(`${now} ${id}`)}`],
    ["is null", () => null],
    ["is a number", (_id, now) => now],
    ["is an object", (id, now) => ({ toString: `${now} ${id}` })],
    ["is a list", (id, now) => [`${now} ${id}`]],
  ])("means that their session is gone, and ends nobody else's: one that %s", async (_what, make) => {
    const store = new session.MemoryStore();
    const site = await startSite(store);
    const victim = await logInVictim(site);
    const note = make(victim.id, Date.now());
    const { cookie } = await visitOldSite(store, { ...ADA, ...{ [NOTE]: note } });
    expect(await ask(site.url, cookie)).toMatchObject({ text: "nobody: ", cookies: [ENDED] });
    expect(await logOut(site.url, cookie)).toMatchObject({ status: 200, cookies: [ENDED] });
    expect(await victim.lives()).toBe(true);
  });

  test.each([
    ["nested", (note: string) => ({ settings: { [NOTE]: note } })],
    ["below __proto__", (note: string) => JSON.parse(`{ "__proto__": { "${NOTE}": "${note}" } }`)],
    ["below constructor", (note: string) => ({ constructor: { prototype: { [NOTE]: note } } })],
  ])("is no note: one that is %s", async (_where, make) => {
    const store = new session.MemoryStore();
    const site = await startSite(store);
    const victim = await logInVictim(site);
    const { cookie, sid } = await visitOldSite(store);
    const planted = { ...(await kept(store, sid)), ...make(`${Date.now()} ${victim.id}`) };
    await new Promise((resolve) => store.set(sid, planted, resolve));
    expect(await ask(site.url, cookie)).toMatchObject({ text: "ada: tea", cookies: [ENDED, OURS] });
    expect(await logOut(site.url, cookie)).toMatchObject({ status: 200, cookies: [] });
    expect(await victim.lives()).toBe(true);
  });

  test("is void where it was copied from another session", async () => {
    const store = new session.MemoryStore();
    const site = await startSite(store);
    const { cookie, sid } = await visitOldSite(store);
    const { cookies } = await ask(site.url, cookie);
    const thief = await visitOldSite(store, { ...ADA, ...{ [NOTE]: await noteOf(store, sid) } });
    expect(await logOut(site.url, thief.cookie)).toMatchObject({ cookies: [ENDED] });
    expect(await ask(site.url, cookieOf(cookies))).toMatchObject({ text: "ada: tea" });
  });
});

test("a note counts for no longer where the clock of the process that wrote it is ahead", async () => {
  const store = new session.MemoryStore();
  const site = await startSite(store);
  const { cookie, sid } = await visitOldSite(store);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 125_000 });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  expect(await ask(site.url, cookie)).toMatchObject({ text: "ada: tea", cookies: [ENDED, OURS] });
  vi.useRealTimers();
  expect(await noteOf(store, sid)).toBeDefined();
  expect(await ask(site.url, cookie)).toMatchObject({ text: "nobody: ", cookies: [ENDED] });
});

describe("secrets: a note is signed with the newest", () => {
  test("and those that an older one signed count", async () => {
    const store = new session.MemoryStore();
    const [before, after] = [await startSite(store), await startSite(store, ["a newer one", SECRET])];
    const { cookie } = await visitOldSite(store);
    await ask(before.url, cookie);
    expect(await ask(after.url, cookie)).toMatchObject({ text: "nobody: ", cookies: [] });
  });

  test("so that a site which does not know that one takes the session for gone", async () => {
    const store = new session.MemoryStore();
    const [before, after] = [await startSite(store), await startSite(store, ["a newer one", SECRET])];
    const { cookie } = await visitOldSite(store);
    await ask(after.url, cookie);
    expect(await ask(before.url, cookie)).toMatchObject({ text: "nobody: ", cookies: [ENDED] });
  });
});
