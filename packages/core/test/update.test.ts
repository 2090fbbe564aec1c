import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createSessionManager, SessionConflictError } from "../src/index.ts";
import { memoryDriver } from "../src/memory.ts";
import { request, setUp, spyDriver, stored, testClock, thrownBy, values } from "./support.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

const increment = (count: unknown): number => Number(count ?? 0) + 1;

describe("update is read-modify-write that loses nothing", () => {
  test("200 requests that count at once give exactly 200", async () => {
    const { sessions } = setUp();
    const cookie = await stored(sessions);
    const opened = await Promise.all(Array.from({ length: 200 }, () => sessions.open(cookie)));
    for (const session of opened) session.store("s").update("count", increment);
    await Promise.all(opened.map((session) => session.commit()));
    expect((await sessions.open(cookie)).store("s").get("count")).toBe(200);
  });

  test("several updates of one request count each, whatever comes between", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 4 }), { minLength: 2, maxLength: 6 }), async (counts) => {
        vi.spyOn(Math, "random").mockReturnValue(0);
        const { sessions } = setUp();
        const cookie = await stored(sessions);
        const opened = await Promise.all(counts.map(() => sessions.open(cookie)));
        counts.forEach((count, index) => {
          for (let done = 0; done < count; done++) opened[index]?.store("s").update("count", increment);
        });
        await Promise.all(opened.map((session) => session.commit()));
        const total = counts.reduce((sum, count) => sum + count, 0);
        expect((await sessions.open(cookie)).store("s").get("count") ?? 0).toBe(total);
      }),
      { numRuns: 30 },
    );
  });

  test("overlapping requests set, update and delete different keys, and all of it happens", async () => {
    type Act = "set" | "update" | "delete" | "count";
    const acts = fc.array(fc.constantFrom<Act>("set", "update", "delete", "count"), {
      minLength: 2,
      maxLength: 12,
    });
    vi.spyOn(Math, "random").mockReturnValue(0);
    await fc.assert(
      fc.asyncProperty(acts, async (todo) => {
        const { sessions } = setUp();
        const cookie = await stored(sessions, (session) => {
          for (const index of todo.keys()) session.store("s").set(`k${index}`, 10);
        });
        const opened = await Promise.all(todo.map(() => sessions.open(cookie)));
        todo.forEach((act, index) => {
          const store = opened[index]?.store("s");
          if (act === "set") store?.set(`k${index}`, 20);
          else if (act === "update") store?.update(`k${index}`, increment);
          else if (act === "delete") store?.delete(`k${index}`);
          else store?.update("count", increment);
        });
        await Promise.all(opened.map((session) => session.commit()));
        const expected = new Map<string, unknown>();
        const results = { set: 20, update: 11, count: 10, delete: undefined };
        todo.forEach((act, index) => {
          if (results[act] !== undefined) expected.set(`k${index}`, results[act]);
        });
        const counted = todo.filter((act) => act === "count").length;
        if (counted > 0) expected.set("count", counted);
        expect(new Map((await sessions.open(cookie)).store("s"))).toStrictEqual(expected);
      }),
      { numRuns: 30 },
    );
  });

  test("the function that runs again sees what the other request wrote", async () => {
    const { sessions } = setUp();
    const cookie = await stored(sessions, (session) => session.store("s").set("list", ["first"]));
    const mine = await sessions.open(cookie);
    const seen: unknown[] = [];
    mine.store("s").update("list", (list) => {
      seen.push(list);
      return [...(list as string[]), "mine"];
    });
    await request(sessions, cookie, (session) => session.store("s").set("list", ["theirs"]));
    expect((await mine.commit()).status).toBe("committed");
    expect(seen).toStrictEqual([["first"], ["theirs"]]);
    expect((await sessions.open(cookie)).store("s").get("list")).toStrictEqual(["theirs", "mine"]);
    expect(mine.store("s").get("list")).toStrictEqual(["theirs", "mine"]);
  });

  test("what else the request staged is written with it, and reads as the other request left it", async () => {
    const { sessions } = setUp();
    const cookie = await stored(sessions, (session) => session.store("s").set("read", "before"));
    const mine = await sessions.open(cookie);
    mine.store("s").get("read");
    mine.store("s").update("count", increment);
    mine.store("s").set("mine", 1);
    await request(sessions, cookie, (session) => {
      session.store("s").set("count", 5);
      session.store("s").set("read", "after");
    });
    await mine.commit();
    expect(mine.store("s").get("read")).toBe("after");
    expect(new Map((await sessions.open(cookie)).store("s"))).toStrictEqual(
      new Map<string, unknown>([
        ["read", "after"],
        ["count", 6],
        ["mine", 1],
      ]),
    );
  });

  test("an entry that another request deleted is absent to the function that runs again", async () => {
    const { sessions } = setUp();
    const cookie = await stored(sessions, (session) => session.store("s").set("count", 41));
    const mine = await sessions.open(cookie);
    expect(mine.store("s").update("count", increment)).toBe(42);
    await request(sessions, cookie, (session) => void session.store("s").delete("count"));
    await mine.commit();
    expect((await sessions.open(cookie)).store("s").get("count")).toBe(1);
  });

  test("what was committed once is not counted again when the session goes on", async () => {
    const { sessions } = setUp();
    const cookie = await stored(sessions);
    const mine = await sessions.open(cookie);
    mine.store("s").update("count", increment);
    await mine.commit();
    await request(sessions, cookie, (session) => session.store("s").update("count", increment));
    mine.store("s").update("count", increment);
    await mine.commit();
    await mine.commit();
    expect((await sessions.open(cookie)).store("s").get("count")).toBe(3);
  });

  test.each([false, true])(
    "what is updated while a commit is on its way is counted once by the next one; another comes between: %s",
    async (another) => {
      const inner = memoryDriver();
      let onItsWay = (): void => {};
      const driver = spyDriver(
        {
          commit(...args) {
            onItsWay();
            return inner.commit(...args);
          },
        },
        inner,
      );
      const sessions = createSessionManager({ driver, clock: testClock() });
      const cookie = await stored(sessions);
      const mine = await sessions.open(cookie);
      mine.store("s").update("count", increment);
      onItsWay = () => {
        onItsWay = () => {};
        mine.store("s").update("count", increment);
      };
      await mine.commit();
      expect((await sessions.open(cookie)).store("s").get("count")).toBe(1);
      expect(mine.store("s").get("count")).toBe(2);
      if (another)
        await request(sessions, cookie, (session) => session.store("s").update("count", increment));
      await mine.commit();
      expect((await sessions.open(cookie)).store("s").get("count")).toBe(another ? 3 : 2);
    },
  );
});

describe("update applies at once", () => {
  test("and returns the new value, which get gives then", async () => {
    await fc.assert(
      fc.asyncProperty(values, values, async (before, after) => {
        const { sessions } = setUp();
        const session = sessions.create();
        const store = session.store("s").set("k", before);
        const given: unknown[] = [];
        expect(
          store.update("k", (now) => {
            given.push(now);
            return after;
          }),
        ).toStrictEqual(after);
        expect(given).toStrictEqual([before]);
        expect(store.get("k")).toStrictEqual(after);
      }),
    );
  });

  test("an absent entry is given as undefined, so that a default takes its place", () => {
    const store = setUp().sessions.create().store<{ items: string[] }>("cart");
    store.update("items", (items = []) => [...items, "apple"]);
    expect(store.update("items", (items = []) => [...items, "pear"])).toStrictEqual(["apple", "pear"]);
  });

  test("what it is given may be mutated and returned", async () => {
    const { sessions } = setUp();
    const cookie = await stored(sessions, (session) => session.store("s").set("list", [1]));
    await request(sessions, cookie, (session) => {
      session.store<{ list: number[] }>("s").update("list", (list = []) => {
        list.push(2);
        return list;
      });
    });
    expect((await sessions.open(cookie)).store("s").get("list")).toStrictEqual([1, 2]);
  });
});

describe("a compare-and-set is paid for only where the result depends on what was read", () => {
  test("an update has one, a set none", async () => {
    const { sessions, driver } = setUp();
    const cookie = await stored(sessions, (session) => session.store("s").set("k", 1));
    await request(sessions, cookie, (session) => session.store("s").set("k", 2));
    await request(sessions, cookie, (session) => session.store("s").update("k", increment));
    const versions = driver.of("commit").map(([, { ifVersion }]) => ifVersion);
    expect(versions).toStrictEqual([undefined, expect.any(Number)]);
  });

  test("nor has an update of what the same request set or deleted", async () => {
    const { sessions, driver } = setUp();
    const cookie = await stored(sessions, (session) => {
      session.store("s").set("set", 1);
      session.store("s").set("deleted", 1);
    });
    await request(sessions, cookie, (session) => {
      const store = session.store("s");
      store.set("set", 10);
      expect(store.update("set", increment)).toBe(11);
      store.delete("deleted");
      expect(store.update("deleted", increment)).toBe(1);
    });
    expect(driver.of("commit")).toHaveLength(1);
    expect(driver.of("commit")[0]?.[1].ifVersion).toBeUndefined();
    const session = await sessions.open(cookie);
    expect(new Map(session.store("s"))).toStrictEqual(
      new Map([
        ["set", 11],
        ["deleted", 1],
      ]),
    );
  });

  test("a set after an update makes the update moot", async () => {
    const { sessions, driver } = setUp();
    const cookie = await stored(sessions, (session) => session.store("s").set("k", 1));
    await request(sessions, cookie, (session) => {
      session.store("s").update("k", increment);
      session.store("s").set("k", 100);
    });
    expect(driver.of("commit")[0]?.[1].ifVersion).toBeUndefined();
    expect((await sessions.open(cookie)).store("s").get("k")).toBe(100);
  });
});

describe("a function that update cannot use", () => {
  test("an asynchronous one is a TypeError, and its promise is nobody's unhandled rejection", async () => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    try {
      const { sessions, driver } = setUp();
      const session = await sessions.open(undefined);
      const store = session.store("cart");
      const error = await thrownBy(() => store.update("items", () => Promise.reject(new Error("late"))));
      expect(error).toBeInstanceOf(TypeError);
      expect(error.message).toMatch(/cart/);
      expect(() => store.update("items", async () => 1)).toThrow(TypeError);
      expect(store.has("items")).toBe(false);
      expect((await session.commit()).status).toBe("unchanged");
      expect(driver.calls).toStrictEqual([]);
      // Unhandled rejections are told of after the microtasks, before the next macrotask.
      await new Promise(setImmediate);
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      process.off("unhandledRejection", unhandled);
    }
  });

  test("one that throws leaves nothing staged, whatever it did to what it was given", async () => {
    const { sessions, driver } = setUp();
    const cookie = await stored(sessions, (session) => session.store("s").set("list", [1]));
    const session = await sessions.open(cookie);
    const store = session.store<{ list: number[] }>("s");
    const stop = new Error("stop");
    expect(() =>
      store.update("list", (list) => {
        list?.push(2);
        throw stop;
      }),
    ).toThrow(stop);
    expect(store.get("list")).toStrictEqual([1]);
    expect((await session.commit()).status).toBe("unchanged");
    expect(driver.of("commit")).toStrictEqual([]);
  });

  test("one that throws when it runs again rejects the commit, and what was staged is discarded", async () => {
    const { sessions } = setUp();
    const cookie = await stored(sessions, (session) => session.store("s").set("count", 1));
    const mine = await sessions.open(cookie);
    const stop = new Error("only once");
    mine.store("s").set("beside", 1);
    mine.store("s").update("count", (count) => {
      if (count !== 1) throw stop;
      return 2;
    });
    await request(sessions, cookie, (session) => session.store("s").set("count", 5));
    await expect(mine.commit()).rejects.toBe(stop);
    expect((await mine.commit()).status).toBe("unchanged");
    expect(new Map((await sessions.open(cookie)).store("s"))).toStrictEqual(new Map([["count", 5]]));
  });
});

test("an update that always loses is given up with a conflict, after a bounded number of tries", async () => {
  // The pauses between the tries are of random length; the shortest will do here.
  vi.spyOn(Math, "random").mockReturnValue(0);
  const inner = memoryDriver();
  const driver = spyDriver(
    {
      commit: async (id, change, now) =>
        change.ifVersion === undefined ? inner.commit(id, change, now) : "conflict",
    },
    inner,
  );
  const sessions = createSessionManager({ driver, clock: testClock() });
  const cookie = await stored(sessions, (session) => session.store("s").set("count", 1));
  const session = await sessions.open(cookie);
  session.store("s").update("count", increment);
  session.store("s").set("beside", 1);
  const error = await thrownBy(() => session.commit());
  expect(error).toBeInstanceOf(SessionConflictError);
  expect(error).toMatchObject({ code: "ERR_SESSION_CONFLICT", retryable: false });
  const tries = driver.of("commit").length;
  expect(tries).toBeGreaterThan(5);
  expect(tries).toBeLessThan(200);
  expect(driver.of("load").length).toBeLessThanOrEqual(tries + 1);
  // Nothing of that commit is stored, and the session can be used again.
  expect(new Map((await sessions.open(cookie)).store("s"))).toStrictEqual(new Map([["count", 1]]));
  expect(session.store("s").get("count")).toBe(1);
  session.store("s").set("count", 7);
  expect((await session.commit()).status).toBe("committed");
});

test("a set is never given up: it needs no compare-and-set", async () => {
  const { sessions, driver } = setUp();
  const cookie = await stored(sessions);
  const opened = await Promise.all(Array.from({ length: 20 }, () => sessions.open(cookie)));
  for (const [index, session] of opened.entries()) session.store("s").set("same", index);
  await Promise.all(opened.map((session) => session.commit()));
  expect(driver.of("commit")).toHaveLength(20);
  expect((await sessions.open(cookie)).store("s").get("same")).toBeTypeOf("number");
});
