import fc from "fast-check";
import { expect, test } from "vitest";
import { cookieFrom, cookieOf, MINUTE, setUp, stored } from "./support.ts";

test("a second logout in one request keeps the cookie that clears", async () => {
  const { sessions } = setUp();
  const cookie = await stored(sessions, (session) => session.login("ann"));
  const session = await sessions.open(cookie);
  await session.logout();
  await session.logout();
  const { status, setCookie } = await session.commit({ seal: true });
  expect(status).toBe("unchanged");
  expect(setCookie).toMatch(/^sid=;.*Max-Age=0/);
});

test("destroyAll(), then logout(), then a message: the cookie is replaced, and the message is kept", async () => {
  const { sessions } = setUp();
  const cookie = await stored(sessions, (session) => session.login("ann"));
  const session = await sessions.open(cookie);
  await sessions.destroyAll({ principal: "ann" });
  await session.logout();
  session.store("flash").set("message", "Logged out everywhere");
  const next = await sessions.open(cookieFrom(await session.commit({ seal: true })));
  expect(next.principal).toBeUndefined();
  expect(next.store("flash").get("message")).toBe("Logged out everywhere");
});

type Ending = "logout" | "destroy" | "destroyAll" | "expire" | "commit";

test("whatever order and number of endings a request has, a logout among them, the cookie is cleared or replaced, and what comes after the last one is kept", async () => {
  const endings = fc.array(
    fc.constantFrom<Ending>("logout", "logout", "destroy", "destroyAll", "expire", "commit"),
    { maxLength: 6 },
  );
  await fc.assert(
    fc.asyncProperty(endings, endings, fc.boolean(), fc.boolean(), async (some, others, isGuest, writes) => {
      const { sessions, clock } = setUp();
      const cookie = await stored(sessions, (session) => {
        session.store("s").set("k", "old");
        if (!isGuest) session.login("ann");
      });
      const session = await sessions.open(cookie);
      const { id } = session;
      for (const ending of [...some, "logout" as const, ...others]) {
        if (ending === "logout") await session.logout();
        if (ending === "destroy") await sessions.destroy(id);
        if (ending === "destroyAll") await sessions.destroyAll({ principal: "ann" });
        if (ending === "expire") session.setExpiry(new Date(clock() - MINUTE));
        if (ending === "commit") await session.commit();
      }
      // An expiry that was set for the session before would end the new one as it begins.
      if (others.lastIndexOf("expire") > others.lastIndexOf("logout")) session.discard();
      if (writes) session.store("s").set("k", "new");
      const { setCookie } = await session.commit({ seal: true });
      expect(setCookie).toBeDefined();
      const next = await sessions.open(cookieOf(setCookie, cookie));
      expect(next.store("s").get("k")).toBe(writes ? "new" : undefined);
      expect(next.principal).toBeUndefined();
      expect((await sessions.open(cookie)).principal).toBeUndefined();
    }),
  );
});

test("a logout of what another request's login has replaced overwrites no newer cookie", async () => {
  const { sessions } = setUp();
  const cookie = await stored(sessions, (session) => session.store("s").set("k", 1));
  const late = await sessions.open(cookie);
  const login = await sessions.open(cookie);
  login.login("ann");
  const newer = cookieFrom(await login.commit({ seal: true }));
  await late.logout();
  await late.logout();
  late.store("flash").set("message", "bye");
  expect(await late.commit({ seal: true })).toMatchObject({ status: "gone", setCookie: undefined });
  expect((await sessions.open(newer)).principal).toBe("ann");
});
