import { inspect } from "node:util";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  type CookieOptions,
  createSessionManager,
  type Driver,
  type Duration,
  SessionConfigError,
  type SessionManager,
  type SessionManagerOptions,
  SessionTooLargeError,
} from "../src/index.ts";
import { memoryDriver } from "../src/memory.ts";
import {
  DAY,
  HOUR,
  MINUTE,
  request,
  SECOND,
  START,
  setUp,
  spyDriver,
  stored,
  testClock,
  thrownBy,
} from "./support.ts";

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

const make = (options: unknown): SessionManager => createSessionManager(options as SessionManagerOptions);

function expectRefused(options: unknown, message: RegExp): void {
  let thrown: unknown;
  try {
    make(options);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(SessionConfigError);
  expect(thrown).toMatchObject({ code: "ERR_SESSION_CONFIG", retryable: false });
  expect((thrown as Error).message).toMatch(message);
}

describe("an option that is not known is named", () => {
  test.each([
    [{ idleTimeout: "1h" }, /idleTimeout/],
    [{ Driver: memoryDriver() }, /Driver/],
    [{ ttl: undefined }, /ttl/],
    [{ cookie: { maxage: 1 } }, /cookie\.maxage/],
    [{ cookie: { httpOnly: false } }, /cookie\.httpOnly/],
    [{ rotation: { every: "1h", graze: "1m" } }, /rotation\.graze/],
  ])("%j", (options, name) => {
    expectRefused(options, name);
  });

  test("and undefined stands for the default of every known one", () => {
    const options = {
      ...{ driver: undefined, idle: undefined, absolute: undefined, touchEvery: undefined },
      ...{ secrets: undefined, rotation: undefined, codec: undefined, maxBytes: undefined, clock: undefined },
      cookie: {
        ...{ name: undefined, path: undefined, domain: undefined, secure: undefined, sameSite: undefined },
        ...{ partitioned: undefined, priority: undefined, maxAge: undefined },
      },
    };
    expect(make(options).clearCookie()).toBe(make({}).clearCookie());
    expect(createSessionManager().clearCookie()).toBe(make({}).clearCookie());
  });
});

describe("an option that is out of range is named, with what it was given", () => {
  const durations = ["idle", "absolute", "touchEvery", "cookie.maxAge", "rotation.every", "rotation.grace"];
  const notDurations: [unknown, RegExp][] = [
    ["", /""/],
    ["5", /"5"/],
    ["5 m", /"5 m"/],
    ["-5m", /"-5m"/],
    ["+5m", /"\+5m"/],
    ["5M", /"5M"/],
    ["5w", /"5w"/],
    ["5m5s", /"5m5s"/],
    ["1e3s", /"1e3s"/],
    [".5h", /"\.5h"/],
    ["m", /"m"/],
    ["soon", /"soon"/],
    ["101000d", /"101000d"/],
    [-1, /-1/],
    [1.5, /1\.5/],
    [Number.NaN, /NaN/],
    [Number.POSITIVE_INFINITY, /Infinity/],
    [2 ** 53, /9007199254740992/],
    [true, /true/],
    [5n, /5/],
    [{}, /object/],
  ];

  function withOption(option: string, value: unknown): unknown {
    const [outer = "", inner] = option.split(".");
    const others = { "rotation.grace": { every: "1d" } }[option] ?? {};
    return inner === undefined ? { [outer]: value } : { [outer]: { ...others, [inner]: value } };
  }

  test.each(durations)("%s takes only durations", (option) => {
    for (const [value, shown] of notDurations) {
      expectRefused(withOption(option, value), new RegExp(option.replace(".", "\\.")));
      expectRefused(withOption(option, value), shown);
    }
  });

  test.each(durations.filter((option) => option !== "touchEvery"))("%s is not zero", (option) => {
    for (const zero of [0, "0s", "0.4ms"])
      expectRefused(withOption(option, zero), new RegExp(option.replace(".", "\\.")));
  });

  test.each([
    [{ idle: false }, /idle.*false/],
    [{ absolute: true }, /absolute.*true/],
    [{ touchEvery: "1h", idle: "1h" }, /touchEvery.*idle.*"1h"/],
    [{ touchEvery: "2h", idle: "1h" }, /touchEvery.*idle.*"2h"/],
    [{ cookie: { maxAge: "999ms" } }, /cookie\.maxAge.*"999ms"/],
    [{ cookie: { maxAge: "forever" } }, /cookie\.maxAge.*"forever"/],
    [{ cookie: { sameSite: "Lax" } }, /cookie\.sameSite.*"Lax"/],
    [{ cookie: { sameSite: false } }, /cookie\.sameSite.*false/],
    [{ cookie: { secure: "auto" } }, /cookie\.secure.*"auto"/],
    [{ cookie: { secure: 1 } }, /cookie\.secure.*1/],
    [{ cookie: { partitioned: "yes", secure: true } }, /cookie\.partitioned.*"yes"/],
    [{ cookie: { priority: "highest" } }, /cookie\.priority.*"highest"/],
    [{ cookie: { name: "" } }, /cookie.*name.*""/],
    [{ cookie: { name: "a b" } }, /cookie.*name.*"a b"/],
    [{ cookie: { name: "a;b" } }, /cookie.*name.*"a;b"/],
    [{ cookie: { name: "a=b" } }, /cookie.*name.*"a=b"/],
    [{ cookie: { name: "é" } }, /cookie.*name.*"é"/],
    [{ cookie: { name: 5 } }, /cookie.*name.*5/],
    [{ cookie: { path: "/;Domain=evil" } }, /cookie.*path/],
    [{ cookie: { path: "/\n" } }, /cookie.*path/],
    [{ cookie: { path: 5 } }, /cookie.*path.*5/],
    [{ cookie: { path: "" } }, /cookie.*path.*""/],
    [{ cookie: { path: "app" } }, /cookie.*path.*"app"/],
    [{ cookie: { domain: "a b" } }, /cookie.*domain.*"a b"/],
    [{ cookie: { domain: "example.org;Path=/" } }, /cookie.*domain/],
    [{ cookie: { domain: "" } }, /cookie.*domain.*""/],
    [{ cookie: { domain: 5 } }, /cookie.*domain.*5/],
    [{ cookie: 5 }, /cookie/],
    [{ cookie: "sid" }, /cookie/],
    [{ cookie: true }, /cookie/],
    [{ rotation: {} }, /rotation\.every/],
    [{ rotation: true }, /rotation/],
    [{ rotation: "1h" }, /rotation/],
    [{ rotation: { every: "1h", onReuse: "log" } }, /rotation\.onReuse.*"log"/],
    [{ rotation: { every: "1h", onReuse: false } }, /rotation\.onReuse.*false/],
    [{ rotation: { every: "239s" } }, /rotation\.every.*"239s"/],
    [{ rotation: { every: "1h", grace: "31m" } }, /rotation\.every.*"1h"/],
    [{ maxBytes: 0 }, /maxBytes.*0/],
    [{ maxPerPrincipal: {} }, /maxPerPrincipal\.sessions.*undefined/],
    [{ maxPerPrincipal: { sessions: 0 } }, /maxPerPrincipal\.sessions.*0/],
    [{ maxPerPrincipal: { sessions: 1, whenFull: "end" } }, /maxPerPrincipal\.whenFull.*"end"/],
    [{ metadata: { ip: "whole" } }, /metadata\.ip.*"whole"/],
    [{ metadata: { lastSeen: 1 } }, /metadata\.lastSeen.*1/],
    [{ metadata: { userAgent: "short" } }, /metadata\.userAgent.*"short"/],
    [{ anonymous: { idle: "25h" } }, /anonymous\.idle.*"25h"/],
    [{ anonymous: { idle: 0 } }, /anonymous\.idle.*0/],
    [{ anonymous: { maxBytes: 0 } }, /anonymous\.maxBytes.*0/],
    [{ anonymous: { maxBytes: 5 }, maxBytes: 4 }, /anonymous\.maxBytes.*at most maxBytes.*5/],
    [{ maxBytes: -1 }, /maxBytes.*-1/],
    [{ maxBytes: 1.5 }, /maxBytes.*1\.5/],
    [{ maxBytes: Number.NaN }, /maxBytes.*NaN/],
    [{ maxBytes: "1MiB" }, /maxBytes.*"1MiB"/],
    [{ clock: 5 }, /clock.*5/],
    [{ clock: "now" }, /clock.*"now"/],
    [{ codec: {} }, /codec/],
    [{ codec: { encode: () => "" } }, /codec/],
    [{ codec: JSON }, /codec/],
    [{ driver: {} }, /driver/],
    [{ driver: null }, /driver/],
    [{ driver: "redis://localhost" }, /driver/],
    [{ driver: Promise.resolve(memoryDriver()) }, /driver/],
  ])("%j", (options, message) => {
    expectRefused(options, message);
  });

  test.each(["create", "load", "commit", "destroy", "sweep", "name"])("a driver without %s", (part) => {
    const driver = { ...memoryDriver(), [part]: undefined };
    expectRefused({ driver }, /driver/);
  });

  test("what stands at the edge of a range is taken", () => {
    for (const options of [
      { idle: 2, touchEvery: 1 },
      { idle: "1ms" },
      { idle: "36525d", absolute: false },
      { touchEvery: 0 },
      { cookie: { maxAge: "1s" } },
      { rotation: { every: "4m" } },
      { rotation: { every: 2, grace: 1, onReuse: "report" } },
      { maxBytes: 1 },
      { secrets: ["äëïöüÿáéíóúýàèìò"] },
      { cookie: { name: "!#$%&'*+-.^_`|~" } },
    ] as const)
      expect(() => make(options)).not.toThrow();
  });

  test("text inside of a list is no duration", () => {
    expectRefused({ idle: ["5m"] }, /idle.*object/);
  });

  test("an absolute timeout of less than a second is one all the same", () => {
    expect(() => make({ absolute: 1 })).not.toThrow();
    expect(make({ absolute: "10ms", clock: () => START }).create().expiresAt).toStrictEqual(
      new Date(START + 10),
    );
  });

  test("a long text is not repeated whole", async () => {
    const error = await thrownBy(() => make({ idle: "x".repeat(10_000) }));
    expect(error.message.length).toBeLessThan(300);
  });
});

describe("secrets are never shown", () => {
  const SHORT = "hunter2-hunter2-hunter2-hunter2";
  const LONG = "q7Zr0kVb9LwXe2TnYc5Gm8HsDp4JuAfK";

  test.each([
    ["too short", [SHORT], /secrets\[0\].*32/],
    ["too short among others", [LONG, SHORT], /secrets\[1\].*32/],
    ["no list", SHORT, /secrets/],
    ["none in it", [], /secrets/],
    ["no text", [LONG, { SHORT }], /secrets\[1\]/],
    ["bytes", [Buffer.from(LONG)], /secrets\[0\]/],
    ["nothing", [undefined], /secrets\[0\]/],
    ["a number", 5, /secrets/],
    ["false", false, /secrets/],
  ])("%s", async (_, secrets, message) => {
    expectRefused({ secrets }, message);
    expect(inspect(await thrownBy(() => make({ secrets })))).not.toMatch(/hunter2|q7Zr/);
  });

  test("32 bytes are enough, 31 are not, whatever the characters", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 40 }), (secret) => {
        if (Buffer.byteLength(secret) >= 32) expect(() => make({ secrets: [secret] })).not.toThrow();
        else expectRefused({ secrets: [secret] }, /secrets\[0\]/);
      }),
    );
  });
});

describe("options of the cookie that contradict one another", () => {
  test.each<[CookieOptions, RegExp]>([
    [{ sameSite: "none" }, /sameSite.*secure/],
    [{ sameSite: "none", secure: false }, /sameSite.*secure/],
    [{ partitioned: true }, /partitioned.*secure/],
    [{ name: "__Host-sid" }, /__Host-sid.*secure/],
    [{ name: "__Secure-sid" }, /__Secure-sid.*secure/],
    [{ name: "__host-sid" }, /__host-sid.*secure/],
    [{ name: "__Host-sid", secure: true, domain: "example.org" }, /__Host-sid.*domain/],
    [{ name: "__Host-sid", secure: true, path: "/app" }, /__Host-sid.*path/],
    [{ name: "__HOST-sid", secure: true, path: "/app" }, /__HOST-sid.*path/],
  ])("%j", (cookie, message) => {
    expectRefused({ cookie }, message);
    vi.stubEnv("NODE_ENV", "production");
    if (cookie.secure !== undefined) expectRefused({ driver: spyDriver(), cookie }, message);
  });

  test.each([
    { sameSite: "none", secure: true },
    { partitioned: true, secure: true },
    { name: "__Host-sid", secure: true },
    { name: "__Secure-sid", secure: true, domain: "example.org", path: "/app" },
  ])("and with secure they do not: %j", (cookie) => {
    expect(() => make({ cookie })).not.toThrow();
  });

  test("in production a prefix and sameSite none go without saying secure", () => {
    vi.stubEnv("NODE_ENV", "production");
    for (const cookie of [{ sameSite: "none" }, { partitioned: true }, { name: "__Secure-x", path: "/a" }])
      expect(() => make({ driver: spyDriver(), cookie })).not.toThrow();
    expectRefused({ driver: spyDriver(), cookie: { sameSite: "none", secure: false } }, /secure/);
  });
});

describe("in production the cookie is as strict as browsers can make it", () => {
  const nameOf = (cookie: object): string => {
    const [, name = ""] = /^([^=]*)=/.exec(make({ driver: spyDriver(), cookie }).clearCookie()) ?? [];
    return name;
  };

  beforeEach(() => {
    vi.stubEnv("NODE_ENV", "production");
  });

  test.each([
    [{}, "__Host-sid"],
    [{ path: "/" }, "__Host-sid"],
    [{ domain: "example.org" }, "__Secure-sid"],
    [{ path: "/app" }, "__Secure-sid"],
    [{ secure: false }, "sid"],
    [{ secure: false, domain: "example.org" }, "sid"],
    [{ name: "mine" }, "mine"],
  ])("%j is called %s", (cookie, name) => {
    expect(nameOf(cookie)).toBe(name);
    expect(/; Secure/.test(make({ driver: spyDriver(), cookie }).clearCookie())).toBe(!("secure" in cookie));
  });

  test.each(["development", "test", "Production", ""])("NODE_ENV=%s is not production", (env) => {
    vi.stubEnv("NODE_ENV", env);
    expect(nameOf({})).toBe("sid");
    expect(make({}).clearCookie()).not.toMatch(/Secure/);
  });

  test("the options are read once", () => {
    const sessions = make({ driver: spyDriver() });
    vi.stubEnv("NODE_ENV", "test");
    expect(sessions.clearCookie()).toMatch(/^__Host-sid=.*Secure/);
  });
});

describe("sessions in memory, in production", () => {
  async function freshCopy(): Promise<typeof import("../src/index.ts")> {
    vi.resetModules();
    return import("../src/index.ts");
  }

  test("warn once in a process, and not elsewhere", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const core = await freshCopy();
    core.createSessionManager();
    expect(warn).not.toHaveBeenCalled();
    vi.stubEnv("NODE_ENV", "production");
    core.createSessionManager({ driver: { ...memoryDriver(), name: "redis" } });
    expect(warn).not.toHaveBeenCalled();
    core.createSessionManager();
    core.createSessionManager({ driver: memoryDriver() });
    expect(warn).toHaveBeenCalledTimes(1);
    expect(String(warn.mock.calls[0]?.[0])).toMatch(/memory.*driver/s);
  });
});

describe("a duration", () => {
  const idleOf = (idle: Duration): number => {
    const sessions = createSessionManager({ clock: () => START, idle, absolute: false, touchEvery: 0 });
    return sessions.create().expiresAt.getTime() - START;
  };

  test("is milliseconds, or text with a unit", () => {
    const units = { ms: 1, s: SECOND, m: MINUTE, h: HOUR, d: DAY };
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 36_525 }),
        fc.constantFrom("ms", "s", "m", "h", "d"),
        (count, unit) => {
          expect(idleOf(`${count}${unit}`)).toBe(count * units[unit]);
          expect(idleOf(count * units[unit])).toBe(count * units[unit]);
        },
      ),
    );
  });

  test.each([
    ["1.5h", 90 * MINUTE],
    ["0.5d", 12 * HOUR],
    ["0.001s", 1],
    ["90s", 90 * SECOND],
    ["007d", 7 * DAY],
  ] as const)("%s", (text, ms) => {
    expect(idleOf(text)).toBe(ms);
  });
});

describe("the options are read once", () => {
  test("changing them afterwards changes nothing", async () => {
    const secrets = ["Hn5tRk93pMxZo2WsCv7BqLg1YfEj6DuA"];
    const cookie = { name: "first" };
    const options: SessionManagerOptions = { driver: spyDriver(), clock: testClock(), secrets, cookie };
    const sessions = createSessionManager(options);
    const header = await stored(sessions);
    Object.assign(options, { secrets: undefined, maxBytes: 1, driver: undefined });
    secrets[0] = "Yw4eQm70bVcXz9LkJh2GfDs6ApOi8UtR";
    cookie.name = "second";
    expect(await stored(sessions)).toMatch(/^first=/);
    expect((await sessions.open(header)).isNew).toBe(false);
  });
});

describe("a session holds no more than maxBytes", () => {
  const sizeOf = (fields: ReadonlyMap<string, string>): number =>
    [...fields].reduce((sum, [field, text]) => sum + Buffer.byteLength(field) + Buffer.byteLength(text), 0);

  test("to the byte, in UTF-8, and what is too large is not written at all", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme", minLength: 1, maxLength: 200 }), async (value) => {
        const { sessions, driver, clock } = setUp();
        await stored(sessions, (session) => session.store("s").set("k", value));
        const size = 100 + sizeOf((await driver.records())[0]?.fields ?? new Map());
        for (const [maxBytes, fits] of [
          [size, true],
          [size - 1, false],
        ] as const) {
          const spy = spyDriver();
          const limited = createSessionManager({ driver: spy, clock, maxBytes });
          const session = await limited.open(undefined);
          session.store("s").set("k", value);
          if (fits) await session.commit();
          else await expect(session.commit()).rejects.toThrow(SessionTooLargeError);
          expect(spy.calls).toHaveLength(fits ? 1 : 0);
        }
      }),
    );
  });

  test("counting what was read and what is written", async () => {
    const { sessions, driver } = setUp({ maxBytes: 2000 });
    const cookie = await stored(sessions, (session) => session.store("a").set("k", "x".repeat(1000)));
    const session = await sessions.open(cookie);
    session.store("b").set("k", "x".repeat(1000));
    const error = await thrownBy(() => session.commit());
    expect(error).toBeInstanceOf(SessionTooLargeError);
    expect(error).toMatchObject({ code: "ERR_SESSION_TOO_LARGE", retryable: false });
    expect(error.message).toMatch(/maxBytes/);
    expect(error.message).not.toMatch(/xxx/);
    expect(driver.of("commit")).toStrictEqual([]);
    // What was staged is discarded, and the session can be used again.
    expect(session.storeNames()).toStrictEqual(["a"]);
    session.store("b").set("k", "small");
    expect((await session.commit()).status).toBe("committed");
    await request(sessions, cookie, (again) => {
      again.store("a").delete("k");
      again.store("b").set("k", "x".repeat(1000));
    });
    expect((await sessions.open(cookie)).storeNames()).toStrictEqual(["b"]);
  });

  test("1 MiB by default", async () => {
    const { sessions } = setUp();
    const session = sessions.create();
    session.store("s").set("k", "x".repeat(1_048_576));
    await expect(session.commit()).rejects.toThrow(SessionTooLargeError);
    session.store("s").set("k", "x".repeat(1_048_000));
    expect((await session.commit()).status).toBe("committed");
  });

  test.each([
    [2000, undefined, 2000],
    [2000, 1000, 1000],
    [1000, 2000, 1000],
  ])(
    "nor than the driver can hold: %s by the driver, maxBytes %s",
    async (maxRecordBytes, maxBytes, most) => {
      const driver: Driver = { ...spyDriver(), maxRecordBytes };
      const sessions = createSessionManager({ driver, clock: testClock(), maxBytes });
      await stored(sessions, (session) => session.store("s").set("k", "x".repeat(most - 300)));
      const session = sessions.create();
      session.store("s").set("k", "x".repeat(most));
      await expect(session.commit()).rejects.toThrow(SessionTooLargeError);
    },
  );

  test("one that is oversized may shrink, be read, touched and ended, and not grow", async () => {
    const { sessions, driver, clock } = setUp();
    const cookie = await stored(sessions, (session) => {
      session.store("s").set("big", "x".repeat(5000));
      session.store("s").set("bigger", "x".repeat(6000));
    });
    const strict = createSessionManager({ driver, clock, maxBytes: 1000, touchEvery: 0 });
    clock.advance(MINUTE);
    expect((await request(strict, cookie)).status).toBe("committed");
    await request(strict, cookie, (session) => void session.store("s").delete("bigger"));
    const session = await strict.open(cookie);
    expect([...session.store("s").keys()]).toStrictEqual(["big"]);
    session.store("s").set("big", "x".repeat(5001));
    await expect(session.commit()).rejects.toThrow(SessionTooLargeError);
    expect((await strict.open(cookie)).store("s").get("big")).toBe("x".repeat(5000));
    await session.logout();
    expect((await strict.open(cookie)).isNew).toBe(true);
  });
});

test("a driver's maxRecordBytes is a whole number", () => {
  for (const maxRecordBytes of [Number.NaN, 0, -1, 1.5, "1MiB"])
    expectRefused({ driver: { ...memoryDriver(), maxRecordBytes } }, /driver\.maxRecordBytes/);
});

test("a clock may have fractions of a millisecond", async () => {
  const driver = spyDriver();
  const sessions = make({ driver, clock: () => START + 0.5 });
  expect((await sessions.create().commit()).status).toBe("committed");
  expect((await driver.records())[0]?.expiresAt).toBe(START + DAY);
});
