import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSessionManager, isLoggedIn } from "../src/index.ts";
import { setUp, stored } from "./support.ts";

const name = fc.constantFrom("notice", "error", "not", "a/b", "__proto__");

/** What one request leaves, and then reads. */
const request = fc.record({
  adds: fc.array(fc.record({ name, value: fc.jsonValue() }), { maxLength: 3 }),
  reads: fc.array(name, { maxLength: 2 }),
});

describe("a flash message", () => {
  test("is read once, by the next request that asks for its name, in the order of leaving", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(request, { maxLength: 8 }), async (requests) => {
        const { sessions } = setUp();
        const cookie = await stored(sessions);
        const model = new Map<string, unknown[]>();
        for (const { adds, reads } of requests) {
          const session = await sessions.open(cookie);
          for (const add of adds) {
            session.flash(add.name, add.value);
            model.set(add.name, [...(model.get(add.name) ?? []), add.value]);
          }
          for (const read of reads) {
            expect(session.flash(read)).toStrictEqual(model.get(read) ?? []);
            model.delete(read);
          }
          await session.commit();
        }
      }),
    );
  });

  test("is not lost beside requests that overlap, which leave or read messages of the same name", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ adds: fc.boolean(), reads: fc.boolean() }), { minLength: 2, maxLength: 6 }),
        async (requests) => {
          const { sessions } = setUp();
          const cookie = await stored(sessions);
          const read: unknown[] = [];
          const opened = await Promise.all(requests.map(() => sessions.open(cookie)));
          for (const [i, session] of opened.entries()) {
            if (requests[i]?.reads) read.push(...session.flash("notice"));
            if (requests[i]?.adds) session.flash("notice", i);
          }
          await Promise.all(opened.map((session) => session.commit()));
          read.push(...(await sessions.open(cookie)).flash("notice"));
          const added = requests.flatMap(({ adds }, i) => (adds ? [i] : []));
          expect(read).toStrictEqual(added);
        },
      ),
    );
  });

  test("survives a login, and ends with a logout", async () => {
    const { sessions } = setUp();
    const session = await sessions.open(await stored(sessions));
    session.flash("notice", "Welcome.");
    session.login("ann");
    await session.commit();
    expect(session.flash("notice")).toEqual(["Welcome."]);
    session.flash("notice", "Bye.");
    await session.logout();
    expect(session.flash("notice")).toEqual([]);
  });

  test("costs a guest without messages neither a record nor a cookie", async () => {
    const { sessions, driver } = setUp();
    const guest = await sessions.open(undefined);
    expect(guest.flash("notice")).toEqual([]);
    expect((await guest.commit({ seal: true })).setCookie).toBeUndefined();
    expect(driver.calls).toEqual([]);
  });

  test("may be undefined for no codec, and has a name", () => {
    const session = setUp().sessions.create();
    expect(() => session.flash("notice", undefined)).toThrow(TypeError);
    for (const bad of ["", "n".repeat(235), "\ud800"]) {
      expect(() => session.flash(bad, 1)).toThrow(TypeError);
    }
    session.flash("n".repeat(234), 1);
    expect(session.flash("n".repeat(234))).toEqual([1]);
  });
});

test("isLoggedIn tells a user from a guest, and the compiler", async () => {
  const session = createSessionManager().create();
  expect(isLoggedIn(session)).toBe(false);
  session.login("ann");
  expect(isLoggedIn(session)).toBe(true);
  const principal: string | undefined = isLoggedIn(session)
    ? (session.principal satisfies string)
    : undefined;
  expect(principal).toBe("ann");
});
