import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dropLogin } from "../src/adapter-tools.ts";
import type { Session } from "../src/index.ts";
import { HOUR, START, setUp, stored } from "./support.ts";

interface Step {
  readonly act: "set" | "update" | "delete" | "mutate" | "expiry";
  readonly key: string;
  readonly value: number;
}

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    act: fc.constantFrom<Step["act"]>("set", "update", "delete", "mutate", "expiry"),
    key: fc.constantFrom("a", "b", "list"),
    value: fc.nat(9),
  }),
  { maxLength: 6 },
);

function take(session: Session, { act, key, value }: Step): void {
  const store = session.store("s");
  if (act === "set") store.set(key, [value]);
  if (act === "update") store.update(key, (old) => (Array.isArray(old) ? [...old, value] : [value]));
  if (act === "delete") store.delete(key);
  const list = act === "mutate" ? store.get(key) : undefined;
  if (Array.isArray(list)) list.push(value);
  if (act === "expiry") session.setExpiry(new Date(START + HOUR + value));
}

const contents = (session: Session): unknown => structuredClone(Object.fromEntries(session.store("s")));

const begins = {
  "a login": (session: Session) => session.login("ann"),
  "another principal's login": (session: Session) => session.login("bob"),
  "rotate()": (session: Session) => session.rotate(),
  "rotate(), then a login": (session: Session) => {
    session.rotate();
    session.login("ann");
  },
};

describe("for an answer that reports an error, what was staged from the login on is dropped, and what came before it is kept", () => {
  test.each(Object.entries(begins))("%s", async (_, begin) => {
    await fc.assert(
      fc.asyncProperty(fc.boolean(), steps, steps, async (isStored, before, after) => {
        const outcomes: unknown[] = [];
        for (const fails of [false, true]) {
          const { sessions, driver } = setUp();
          const cookie = isStored ? await stored(sessions, (session) => session.login("cleo")) : undefined;
          if (cookie !== undefined)
            await (async () => {
              const session = await sessions.open(cookie);
              session.store("s").set("list", [0]);
              await session.commit();
            })();
          const session = await sessions.open(cookie);
          for (const step of before) take(session, step);
          if (fails) {
            begin(session);
            for (const step of after) take(session, step);
            // rotate() of what is not stored begins nothing.
            if (!dropLogin(session)) return;
          }
          const { status, setCookie } = await session.commit({ seal: true });
          const [record] = await driver.records();
          outcomes.push([
            ...[status, setCookie !== undefined, session.principal, contents(session)],
            ...[record?.expiresAt, record?.principal, session.expiresAt],
          ]);
        }
        expect(outcomes[1]).toEqual(outcomes[0]);
      }),
    );
  });
});

test("there is nothing to drop without a login, and none that a commit has stored", async () => {
  const { sessions } = setUp();
  const session = await sessions.open(undefined);
  expect(dropLogin(session)).toBe(false);
  session.login("ann");
  await session.commit();
  expect(dropLogin(session)).toBe(false);
  expect(session.principal).toBe("ann");
});

test("a login that a commit has begun to store is not dropped", async () => {
  const { sessions } = setUp();
  const session = await sessions.open(undefined);
  session.login("ann");
  const committed = session.commit();
  expect(dropLogin(session)).toBe(false);
  await committed;
  expect(session.principal).toBe("ann");
});

test("after a drop the session logs in as if nothing had been", async () => {
  const { sessions } = setUp();
  const session = await sessions.open(await stored(sessions, (it) => it.store("s").set("k", 1)));
  session.login("ann");
  dropLogin(session);
  session.login("bob");
  await session.commit();
  expect([session.principal, session.store("s").get("k")]).toEqual(["bob", 1]);
});

describe("discard() takes back everything since the last commit", () => {
  test("whatever was staged, logins and what was mutated in place among it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.boolean(), steps, steps, fc.boolean(), async (isStored, before, after, logsIn) => {
        const { sessions, driver } = setUp();
        const session = await sessions.open(
          isStored ? await stored(sessions, (it) => it.store("s").set("list", [0])) : undefined,
        );
        for (const step of before) take(session, step);
        if (logsIn) session.login("ann");
        await session.commit();
        // An expiry for what is not stored yet stays staged.
        const expiry = (): unknown => driver.of("create").length > 0 && session.expiresAt;
        const was = [await driver.records(), contents(session), session.principal, expiry()];
        for (const step of after) take(session, step);
        session.login("bob");
        for (const step of after) take(session, step);
        session.discard();
        expect([await driver.records(), contents(session), session.principal, expiry()]).toEqual(was);
        expect((await session.commit()).status).toBe("unchanged");
        expect(await driver.records()).toEqual(was[0]);
      }),
    );
  });

  test("after the seal, what a late commit would write", async () => {
    const { sessions } = setUp();
    const cookie = await stored(sessions, (session) => session.store("s").set("k", 1));
    const session = await sessions.open(cookie);
    await session.commit({ seal: true });
    session.store("s").set("k", 2);
    session.discard();
    await session.commit();
    expect((await sessions.open(cookie)).store("s").get("k")).toBe(1);
  });

  test("and leaves what a commit has begun to write", async () => {
    const { sessions } = setUp();
    const session = await sessions.open(undefined);
    session.store("s").set("k", 1);
    session.login("ann");
    const committed = session.commit();
    session.discard();
    const { token = "" } = await committed;
    const again = await sessions.load(token);
    expect(again?.principal).toBe("ann");
  });
});
