import { afterEach, describe, expect, test, vi } from "vitest";
import {
  createSessionManager,
  type ListingDriver,
  SessionConfigError,
  type SessionManager,
} from "../src/index.ts";
import { memoryDriver } from "../src/memory.ts";
import { request, type SpyDriver, spyDriver, stored, testClock, thrownBy } from "./support.ts";

const MOST = 100;

/** A driver that refuses what its `maxFieldsPerCommit` does not allow, as its backend would. */
function limitedDriver(inner = memoryDriver(), before = async () => {}): SpyDriver {
  const refuse = ({ size }: { size: number }) => {
    if (size > MOST) throw new Error(`The backend takes ${MOST} fields, not ${size}`);
  };
  const driver = spyDriver(
    {
      async create(id, record, now) {
        refuse(record.fields);
        return inner.create(id, record, now);
      },
      async commit(id, change, now) {
        refuse(change.fields);
        return inner.commit(id, change, now);
      },
    },
    inner,
    before,
  );
  return Object.assign(driver, { maxFieldsPerCommit: MOST });
}

const setUp = (inner = memoryDriver()) => {
  const driver = limitedDriver(inner);
  const metadata = { lastSeen: true, userAgent: true, ip: true };
  return { driver, sessions: createSessionManager({ driver, clock: testClock(), touchEvery: 0, metadata }) };
};

/** A session to which entries were added until one was refused. */
async function filled(sessions: SessionManager): Promise<{ cookie: string; entries: number }> {
  const cookie = await stored(sessions, (session) => void session.store("s").set("0", 0));
  for (let entries = 1; entries < 2 * MOST; entries++)
    try {
      await request(sessions, cookie, (session) => void session.store("s").set(String(entries), 0));
    } catch (error) {
      expect(error).toMatchObject({ code: "ERR_SESSION_TOO_LARGE" });
      return { cookie, entries };
    }
  throw new Error("No entry was refused");
}

const put = (from: number, count: number) => (session: Awaited<ReturnType<SessionManager["open"]>>) => {
  for (let n = from; n < from + count; n++) session.store("s").set(String(n), n);
};

describe("a session has no more fields than one commit of its driver takes", () => {
  test("one more is refused as too large, and the session stays as it was", async () => {
    const { sessions, driver } = setUp();
    const cookie = await stored(sessions, put(0, 90));
    const session = await sessions.open(cookie);
    put(90, 20)(session);
    const error = await thrownBy(() => session.commit());
    expect(error).toMatchObject({ code: "ERR_SESSION_TOO_LARGE", retryable: false });
    expect(error.message).toMatch(/116 fields.*driver takes 100/);
    expect(driver.of("commit")).toStrictEqual([]);
    expect([...(await sessions.open(cookie)).store("s").keys()]).toHaveLength(90);
    const fresh = sessions.create();
    put(0, 100)(fresh);
    await expect(fresh.commit()).rejects.toMatchObject({ code: "ERR_SESSION_TOO_LARGE" });
  });

  test("the core's own fields count too: some 94 entries of 100", async () => {
    const { entries } = await filled(setUp().sessions);
    expect(entries).toBe(94);
  });

  test("so a full one is fixed, logged in, rotated, written and logged out, each in one commit", async () => {
    const { sessions, driver } = setUp();
    const { cookie } = await filled(sessions);
    const session = await sessions.open(cookie);
    session.setExpiry(new Date(session.expiresAt.getTime() - 1000));
    await session.commit();
    session.login("anna", { idle: "1h" });
    await session.commit();
    session.rotate();
    await session.commit();
    expect(await sessions.setExpiry(session.id, session.expiresAt)).toBe(true);
    for (const key of session.store("s").keys()) session.store("s").set(key, "changed");
    await session.commit();
    const last = await sessions.get(session.id);
    driver.counts();
    await last?.logout();
    expect(driver.counts()).toEqual({ commit: 1 });
    expect(await sessions.valid(session.id)).toBe(false);
  });

  test("a commit that deletes as many entries as it adds is refused by the fields that it names", async () => {
    const { sessions } = setUp();
    const cookie = await stored(sessions, put(0, 90));
    const session = await sessions.open(cookie);
    session.store("s").clear();
    put(100, 90)(session);
    await expect(session.commit()).rejects.toMatchObject({ code: "ERR_SESSION_TOO_LARGE" });
    session.store("s").clear();
    await session.commit();
    put(100, 90)(session);
    expect((await session.commit()).status).toBe("committed");
  });

  test("also where requests of several processes overlap", async () => {
    const inner = memoryDriver();
    const turn = () => new Promise<void>((resolve) => void setImmediate(resolve));
    const managers = [0, 1, 2, 3].map(() =>
      createSessionManager({ driver: limitedDriver(inner, turn), clock: testClock() }),
    );
    const [first] = managers;
    if (!first) throw new Error("No process");
    const cookie = await stored(first, put(0, 80));
    const opened = await Promise.all(Array.from({ length: 40 }, (_, n) => managers[n % 4]?.open(cookie)));
    const outcomes = await Promise.allSettled(
      opened.map((session, n) => {
        session?.store("s").set(`more${n}`, n);
        return session?.commit();
      }),
    );
    const held = (await first.open(cookie)).store("s").size;
    expect(held).toBe(94);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(94 - 80);
    await (await first.open(cookie)).logout();
  });

  test("an addition that nothing comes between is one read and one write; changes compare nothing", async () => {
    const driver = limitedDriver();
    const sessions = createSessionManager({ driver, clock: testClock(), touchEvery: "1h" });
    const cookie = await stored(sessions, put(0, 50));
    driver.counts();
    await request(sessions, cookie, put(50, 10));
    expect(driver.counts()).toEqual({ load: 1, commit: 1 });
    await request(sessions, cookie, (session) => void session.store("s").set("5", "changed"));
    expect(driver.of("commit").map(([, change]) => change.ifVersion !== undefined)).toEqual([true, false]);
  });

  test("one that is larger, from before the limit, is read, made smaller, and logged out", async () => {
    const inner = memoryDriver();
    const clock = testClock();
    const before = createSessionManager({ driver: inner, clock });
    const { sessions } = setUp(inner);
    for (const shrink of [true, false]) {
      const cookie = await stored(before, put(0, 150));
      const session = await sessions.open(cookie);
      expect(session.store("s").size).toBe(150);
      if (shrink) {
        for (let n = 0; n < 80; n++) session.store("s").delete(String(n));
        expect((await session.commit()).status).toBe("committed");
      }
      await session.logout();
      expect((await before.open(cookie)).isNew).toBe(true);
    }
  });

  test("the limit is a whole number", () => {
    for (const maxFieldsPerCommit of [Number.NaN, 0, -1, 1.5, "100"])
      expect(() =>
        // @ts-expect-error as from JavaScript
        createSessionManager({ driver: { ...memoryDriver(), maxFieldsPerCommit } }),
      ).toThrow(SessionConfigError);
  });
});

describe("a driver that lists only a principal's records", () => {
  const principalsOnly = () => {
    const driver = spyDriver({
      async list() {
        throw new Error("not asked");
      },
    });
    return { driver: Object.assign(driver, { principalsOnly: true }) };
  };

  test("list() and destroyAll() of everyone are unsupported, before the driver is asked", async () => {
    const { driver } = principalsOnly();
    const sessions = createSessionManager({ driver });
    for (const call of [() => sessions.list().next(), () => sessions.destroyAll({ everyone: true })]) {
      const error = await thrownBy(call);
      expect(error).toMatchObject({ code: "ERR_SESSION_UNSUPPORTED" });
      expect(error.message).toMatch(/"spy" lists only those of a principal/);
    }
    expect(driver.of("list")).toStrictEqual([]);
  });

  test("those of a principal work", async () => {
    const driver: ListingDriver = { ...memoryDriver(), principalsOnly: true };
    const sessions = createSessionManager({ driver });
    await stored(sessions, (session) => session.login("anna"));
    await stored(sessions, (session) => session.login("bob"));
    const listed: (string | undefined)[] = [];
    for await (const { principal } of sessions.list({ principal: "anna" })) listed.push(principal);
    expect(listed).toStrictEqual(["anna"]);
    expect(await sessions.destroyAll({ principal: "anna" })).toBe(1);
  });
});

describe("a driver whose backend evicts", () => {
  afterEach(() => void vi.unstubAllEnvs());

  test("warns in production, once for each driver", () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const driver = { ...memoryDriver(), name: "evicting", volatile: true };
    createSessionManager({ driver });
    expect(warn).not.toHaveBeenCalled();
    vi.stubEnv("NODE_ENV", "production");
    createSessionManager({ driver });
    createSessionManager({ driver: { ...driver } });
    createSessionManager({ driver: { ...memoryDriver(), name: "steady", volatile: false } });
    expect(warn.mock.calls.flat()).toContainEqual(expect.stringMatching(/"evicting" evicts.*log users out/));
    expect(warn).toHaveBeenCalledOnce();
    createSessionManager({ driver: { ...driver, name: "evicting too" } });
    expect(warn).toHaveBeenCalledTimes(2);
    warn.mockRestore();
  });
});
