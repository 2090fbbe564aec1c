import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { cookieSettingsOf } from "../src/adapter-tools.ts";
import { type CookieOptions, createSessionManager, type SessionManagerOptions } from "../src/index.ts";
import { cookieFrom, DAY, HOUR, request, setUp, spyDriver, stored, testClock } from "./support.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

const KEY = "q7Zr0kVb9LwXe2TnYc5Gm8HsDp4JuAfK";

/** The Set-Cookie header of a new session, with its token named. */
async function setCookieOf(options: SessionManagerOptions): Promise<string> {
  const session = setUp(options).sessions.create();
  const { setCookie = "", token = "-" } = await session.commit();
  return setCookie.replace(token, "TOKEN");
}

describe("the Set-Cookie header", () => {
  test.each<[SessionManagerOptions, string]>([
    [{}, "sid=TOKEN; Max-Age=2592000; Path=/; HttpOnly; SameSite=Lax"],
    [{ cookie: { name: "app" } }, "app=TOKEN; Max-Age=2592000; Path=/; HttpOnly; SameSite=Lax"],
    [{ secrets: [KEY] }, "sid=TOKEN; Max-Age=2592000; Path=/; HttpOnly; SameSite=Lax"],
    [{ cookie: { path: "/app" } }, "sid=TOKEN; Max-Age=2592000; Path=/app; HttpOnly; SameSite=Lax"],
    [
      { cookie: { domain: "example.org" } },
      "sid=TOKEN; Max-Age=2592000; Domain=example.org; Path=/; HttpOnly; SameSite=Lax",
    ],
    [{ cookie: { secure: true } }, "sid=TOKEN; Max-Age=2592000; Path=/; HttpOnly; Secure; SameSite=Lax"],
    [{ cookie: { sameSite: "strict" } }, "sid=TOKEN; Max-Age=2592000; Path=/; HttpOnly; SameSite=Strict"],
    [
      { cookie: { sameSite: "none", secure: true } },
      "sid=TOKEN; Max-Age=2592000; Path=/; HttpOnly; Secure; SameSite=None",
    ],
    [
      { cookie: { partitioned: true, secure: true, priority: "high" } },
      "sid=TOKEN; Max-Age=2592000; Path=/; HttpOnly; Secure; Partitioned; Priority=High; SameSite=Lax",
    ],
    [{ cookie: { maxAge: "session" } }, "sid=TOKEN; Path=/; HttpOnly; SameSite=Lax"],
    [{ cookie: { maxAge: "1h" } }, "sid=TOKEN; Max-Age=3600; Path=/; HttpOnly; SameSite=Lax"],
    [{ cookie: { maxAge: 1999 } }, "sid=TOKEN; Max-Age=1; Path=/; HttpOnly; SameSite=Lax"],
    // The cookie's life is not the idle timeout's.
    [{ idle: "10m", absolute: "2h" }, "sid=TOKEN; Max-Age=7200; Path=/; HttpOnly; SameSite=Lax"],
    [{ absolute: false }, "sid=TOKEN; Max-Age=34560000; Path=/; HttpOnly; SameSite=Lax"],
    [{ absolute: "1000d" }, "sid=TOKEN; Max-Age=34560000; Path=/; HttpOnly; SameSite=Lax"],
    [{ absolute: false, cookie: { maxAge: "session" } }, "sid=TOKEN; Path=/; HttpOnly; SameSite=Lax"],
  ])("%j", async (options, expected) => {
    expect(await setCookieOf(options)).toBe(expected);
  });

  test.each<[CookieOptions, string]>([
    [{}, "__Host-sid=TOKEN; Max-Age=2592000; Path=/; HttpOnly; Secure; SameSite=Lax"],
    [
      { domain: "example.org" },
      "__Secure-sid=TOKEN; Max-Age=2592000; Domain=example.org; Path=/; HttpOnly; Secure; SameSite=Lax",
    ],
    [{ path: "/app" }, "__Secure-sid=TOKEN; Max-Age=2592000; Path=/app; HttpOnly; Secure; SameSite=Lax"],
    [{ secure: false }, "sid=TOKEN; Max-Age=2592000; Path=/; HttpOnly; SameSite=Lax"],
  ])("in production, %j", async (cookie, expected) => {
    vi.stubEnv("NODE_ENV", "production");
    expect(await setCookieOf({ cookie })).toBe(expected);
  });

  test("as an object says the same", async () => {
    const { sessions } = setUp({
      cookie: {
        ...{ name: "app", path: "/app", domain: "example.org", secure: true },
        ...{ priority: "low" },
      },
    });
    const { cookie, token } = await sessions.create().commit();
    expect(cookie).toStrictEqual({
      ...{ name: "app", value: token, path: "/app", domain: "example.org" },
      ...{ httpOnly: true, secure: true, sameSite: "lax", maxAge: 2_592_000, priority: "low" },
    });
    const plain = await setUp({ cookie: { maxAge: "session" } })
      .sessions.create()
      .commit();
    expect(plain.cookie).toStrictEqual({
      ...{ name: "sid", value: plain.token, path: "/" },
      ...{ httpOnly: true, secure: false, sameSite: "lax" },
    });
  });

  test("is sent when a session is made, and not when one is used, written to or touched", async () => {
    const { sessions, clock } = setUp();
    const first = await request(sessions, undefined, (session) => session.store("s").set("k", 1));
    expect(first.setCookie).toBeDefined();
    const cookie = cookieFrom(first);
    for (let visit = 0; visit < 5; visit++) {
      clock.advance(HOUR);
      const result = await request(sessions, cookie, (session) => session.store("s").set("k", visit + 2));
      expect(result).toStrictEqual({
        status: "committed",
        token: undefined,
        setCookie: undefined,
        cookie: undefined,
      });
    }
  });
});

test.each(["strict", "lax", "none"] as const)(
  "the manager tells adapters that its cookie is SameSite=%s",
  (sameSite) => {
    const { sessions } = setUp({ cookie: { sameSite, secure: true } });
    expect(cookieSettingsOf(sessions).sameSite).toBe(sameSite);
    expect(cookieSettingsOf(new Proxy(sessions, {})).sameSite).toBe(sameSite);
    expect(cookieSettingsOf({ ...sessions }).sameSite).toBe(sameSite);
  },
);

describe("clearCookie", () => {
  const cookies = fc.record(
    {
      name: fc.constantFrom("sid", "app", "__Secure-x"),
      path: fc.constantFrom("/", "/app"),
      domain: fc.constantFrom(undefined, "example.org"),
      sameSite: fc.constantFrom("lax" as const, "strict" as const, "none" as const),
      partitioned: fc.boolean(),
      priority: fc.constantFrom(undefined, "low" as const, "medium" as const, "high" as const),
      maxAge: fc.constantFrom("session" as const, "1h" as const, 5000, undefined),
    },
    { requiredKeys: [] },
  );

  test("removes what was set: the same name and attributes, no value, no age", async () => {
    await fc.assert(
      fc.asyncProperty(cookies, async (options) => {
        const { sessions } = setUp({ cookie: { ...options, secure: true } });
        const { setCookie = "", token = "-" } = await sessions.create().commit();
        const attributes = (header: string): string[] =>
          header.split("; ").filter((attribute) => !attribute.startsWith("Max-Age="));
        const cleared = sessions.clearCookie();
        expect(attributes(cleared)).toStrictEqual(attributes(setCookie.replace(token, "")));
        expect(cleared).toContain("; Max-Age=0");
      }),
    );
  });

  test("as a logout sends it", async () => {
    const { sessions } = setUp();
    const session = await sessions.open(await stored(sessions));
    await session.logout();
    const { setCookie, cookie, token } = await session.commit();
    expect(setCookie).toBe(sessions.clearCookie());
    expect(setCookie).toBe("sid=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax");
    expect(cookie).toMatchObject({ name: "sid", value: "", maxAge: 0, path: "/" });
    expect(token).toBeUndefined();
  });
});

const hex = fc.stringMatching(/^[0-9a-f]{32}$/);
/** Well-formed tokens of no session. The last character of 43 stands for 4 bits. */
const tokens = fc
  .tuple(hex, fc.uint8Array({ minLength: 32, maxLength: 32 }))
  .map(([id, secret]) => `${id}.${Buffer.from(secret).toString("base64url")}`);

const malformed = fc.oneof(
  fc.constantFrom("", "x", '""', "a.b", "a.b.c", "%", "null", "undefined", "=", "==", "{}", "j:{}"),
  fc.string({ unit: "binary", maxLength: 60 }).map((text) => text.replaceAll(";", "")),
  tokens.map((token) => token.slice(1)),
  tokens.map((token) => token.slice(0, -1)),
  tokens.map((token) => `${token}${token}`),
  tokens.map((token) => `${token}.`),
  tokens.map((token) => ` .${token}`),
  tokens.map((token) => token.toUpperCase().replace(/^/, "A")),
  tokens.map((token) => encodeURIComponent(token).replace(".", "%2E")),
  tokens.map((token) => token.padEnd(8192, "A")),
);

describe("of several cookies of our name", () => {
  test("the first valid one wins, wherever it stands, among others' cookies", async () => {
    const others = fc.constantFrom("a=b", "xsid=1", "sidx=2", "SID=3", "sid", "=sid", "", "  ", "x=sid=1");
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            malformed,
            others.map(() => ""),
          ),
          { maxLength: 4 },
        ),
        fc.array(tokens, { maxLength: 3 }),
        fc.array(others, { maxLength: 4 }),
        fc.array(tokens, { maxLength: 2 }),
        fc.constantFrom("; ", ";", " ; ", ";  "),
        async (bad, unknown, foreign, after, between) => {
          const { sessions, driver } = setUp();
          const cookie = await stored(sessions, (session) => session.store("s").set("k", "mine"));
          const header = [
            ...bad.map((value) => `sid=${value}`),
            ...foreign,
            ...unknown.map((token) => `sid=${token}`),
            cookie,
            ...after.map((token) => `sid=${token}`),
          ].join(between);
          const session = await sessions.open(header);
          expect(session.isNew).toBe(false);
          expect(session.rejected).toBeUndefined();
          expect(session.store("s").get("k")).toBe("mine");
          expect(driver.of("load")).toHaveLength(new Set(unknown).size + 1);
        },
      ),
    );
  });

  test("of two valid ones the first in the header is taken", async () => {
    const { sessions, driver } = setUp();
    const first = await stored(sessions, (session) => session.store("s").set("k", "first"));
    const second = await stored(sessions, (session) => session.store("s").set("k", "second"));
    const session = await sessions.open(`${first}; ${second}`);
    expect(session.store("s").get("k")).toBe("first");
    expect(driver.of("load")).toHaveLength(1);
  });

  test("at most 16 are looked up", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(tokens, { minLength: 0, maxLength: 20 }), async (unknown) => {
        const { sessions, driver } = setUp();
        const cookie = await stored(sessions);
        const session = await sessions.open([...unknown.map((token) => `sid=${token}`), cookie].join("; "));
        expect(driver.of("load")).toHaveLength(Math.min(16, unknown.length + 1));
        expect(session.isNew).toBe(unknown.length >= 16);
      }),
    );
  });

  test("tokens of the site's own that have ended do not hide the good one behind them", async () => {
    const { sessions } = setUp();
    const ended: string[] = [];
    for (let n = 0; n < 15; n++) {
      const cookie = await stored(sessions, (session) => session.login("ann"));
      ended.push(cookie);
      await (await sessions.open(cookie)).logout();
    }
    const good = await stored(sessions, (session) => session.login("ann"));
    expect((await sessions.open([...ended, good].join("; "))).principal).toBe("ann");
  });

  test("malformed ones cost no read, however many", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(malformed, { minLength: 1, maxLength: 20 }), async (values) => {
        const { sessions, driver } = setUp();
        const session = await sessions.open(values.map((value) => `sid=${value}`).join("; "));
        expect(session.isNew).toBe(true);
        expect(session.rejected).toBe("malformed");
        expect(driver.calls).toStrictEqual([]);
        expect((await session.commit()).status).toBe("unchanged");
      }),
    );
  });

  test("the same one twice is looked up once", async () => {
    const { sessions, driver } = setUp();
    const [token] = fc.sample(tokens, 1);
    await sessions.open(Array.from({ length: 10 }, () => `sid=${token}; sid="${token}"`).join("; "));
    expect(driver.of("load")).toHaveLength(1);
  });

  test("a quoted value is read as the value", async () => {
    const { sessions } = setUp();
    const cookie = await stored(sessions);
    const token = cookie.slice("sid=".length);
    expect((await sessions.open(`sid="${token}"`)).isNew).toBe(false);
    for (const half of [`sid="${token}`, `sid=${token}"`, `sid='${token}'`, `sid=""${token}""`])
      expect((await sessions.open(half)).isNew).toBe(true);
  });
});

describe("a cookie that is none of ours", () => {
  test.each([
    ["no header", undefined],
    ["null", null],
    ["an empty header", ""],
    ["others' cookies", "a=b; c=d"],
    ["a name that ends like ours", "xsid=1; not-sid=2"],
    ["a name that begins like ours", "sid2=1; sid.x=2"],
    ["our name in capitals", "SID=1; Sid=2"],
    ["our name without a value", "sid; a=sid"],
  ])("%s: the session is new, nothing was rejected, and the backend is not asked", async (_, header) => {
    const { sessions, driver } = setUp();
    const session = await sessions.open(header);
    expect(session.isNew).toBe(true);
    expect(session.rejected).toBeUndefined();
    expect(driver.calls).toStrictEqual([]);
  });

  test("forged, truncated, doubled, huge or binary: a fresh session, and with secrets no call to the backend", async () => {
    const { sessions, driver } = setUp({ secrets: [KEY] });
    const own = (await stored(sessions, (session) => session.store("s").set("k", "mine"))).slice(4);
    const calls = driver.calls.length;
    const forged = fc.oneof(
      malformed,
      tokens,
      tokens.map((token) => token + own.slice(own.lastIndexOf("."))),
      fc.tuple(tokens, hex).map(([token, mac]) => `${token}.${mac}01234567890`),
      fc.nat({ max: own.length - 1 }).map((length) => own.slice(0, length)),
      fc.constantFrom(own + own, `${own}.${own}`, own.padEnd(8192, own), `${own}\0`, own.replace(".", "..")),
      fc
        .uint8Array({ maxLength: 200 })
        .map((bytes) => Buffer.from(bytes).toString("latin1").replaceAll(";", "")),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(forged, { minLength: 1, maxLength: 3 }), async (values) => {
        const session = await sessions.open(values.map((value) => `sid=${value}`).join("; "));
        expect(session.isNew).toBe(true);
        expect(["malformed", "signature"]).toContain(session.rejected);
        expect(session.store("s").size).toBe(0);
        const result = await session.commit();
        expect([result.status, result.setCookie]).toStrictEqual(["unchanged", undefined]);
        for (const value of values) expect(await sessions.load(value)).toBeUndefined();
        expect(driver.calls).toHaveLength(calls);
      }),
      { numRuns: 300 },
    );
    expect((await sessions.open(`sid=${own}`)).isNew).toBe(false);
  });

  test("a rejected cookie is replaced by the next session that is stored", async () => {
    const { sessions } = setUp();
    const result = await request(sessions, "sid=forged", (session) => session.store("s").set("k", 1));
    expect(result.setCookie).toMatch(/^sid=[0-9a-f]{32}\./);
    expect((await sessions.open(`sid=forged; ${cookieFrom(result)}`)).store("s").get("k")).toBe(1);
  });
});

describe("readToken", () => {
  test("gives the first well-formed token of ours, which load accepts", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(malformed, { maxLength: 4 }), fc.boolean(), async (bad, signed) => {
        const { sessions, driver } = setUp(signed ? { secrets: [KEY] } : {});
        const cookie = await stored(sessions, (session) => session.store("s").set("k", "mine"));
        const calls = driver.calls.length;
        const header = ["a=b", ...bad.map((value) => `sid=${value}`), cookie].join("; ");
        const token = sessions.readToken(header);
        expect(token).toBe(cookie.slice(4));
        expect(driver.calls).toHaveLength(calls);
        expect((await sessions.load(token ?? ""))?.store("s").get("k")).toBe("mine");
      }),
    );
  });

  test("gives nothing where there is none", () => {
    const { sessions } = setUp();
    fc.assert(
      fc.property(fc.array(malformed, { maxLength: 4 }), (bad) => {
        const header = ["a=b", "xsid=1", ...bad.map((value) => `sid=${value}`)].join("; ");
        expect(sessions.readToken(header)).toBeUndefined();
      }),
    );
    for (const none of [undefined, null, ""]) expect(sessions.readToken(none)).toBeUndefined();
  });

  test("gives nothing that is not signed where secrets are configured", () => {
    const sessions = createSessionManager({ driver: spyDriver(), secrets: [KEY] });
    fc.assert(
      fc.property(tokens, (token) => {
        expect(sessions.readToken(`sid=${token}`)).toBeUndefined();
        expect(setUp().sessions.readToken(`sid=${token}`)).toBe(token);
      }),
    );
  });
});

test("two managers with cookies of different names live side by side in one header", async () => {
  const driver = spyDriver();
  const clock = testClock();
  const a = createSessionManager({ driver, clock, cookie: { name: "a" } });
  const b = createSessionManager({ driver, clock, cookie: { name: "b" }, absolute: 400 * DAY });
  const header = [
    await stored(a, (session) => session.store("s").set("k", "a")),
    await stored(b, (session) => session.store("s").set("k", "b")),
  ].join("; ");
  expect((await a.open(header)).store("s").get("k")).toBe("a");
  expect((await b.open(header)).store("s").get("k")).toBe("b");
});

test("a name behind a no-break space is another name: for a browser it has no prefix to protect", async () => {
  const { sessions } = setUp({ cookie: { name: "__Host-sid", secure: true } });
  const token = async (principal: string): Promise<string | undefined> => {
    const session = sessions.create();
    session.login(principal);
    return (await session.commit()).token;
  };
  const [planted, own] = [await token("mallory"), await token("alice")];
  for (const space of ["\u00a0", "\ufeff", "\u2003", "\v"])
    expect((await sessions.open(`${space}__Host-sid=${planted}; \t__Host-sid=${own}\t`)).principal).toBe(
      "alice",
    );
});

test("a header of nothing but spaces is read in no time", async () => {
  const { sessions } = setUp();
  const run = " ".repeat(1_000_000);
  // Read once for each space it would take minutes.
  expect((await sessions.open(`sid=x; a${run}b=1; sid${run}=${run}y${run}z`)).rejected).toBe("malformed");
});
