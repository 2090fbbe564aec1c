import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { createSessionManager, type SessionManagerOptions } from "../src/index.ts";
import { cookieFrom, request, setUp, spyDriver, stored, testClock } from "./support.ts";

const [K1, K2, K3] = [
  "Uc3vRb81nXqLw6ZtMe0KyHj5GpSa9DfT",
  "Yw4eQm70bVcXz9LkJh2GfDs6ApOi8UtR",
  "Hn5tRk93pMxZo2WsCv7BqLg1YfEj6DuA",
];
const flavours: [string, SessionManagerOptions][] = [
  ["unsigned", {}],
  ["signed", { secrets: [K1] }],
];

/** Every text in what a driver was given or keeps, however deep. */
function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  const parts = value instanceof Map ? [...value].flat() : Object.values(value);
  return parts.flatMap(textsIn);
}

/** The token of a new session that holds something, for somebody. */
async function newToken(options: SessionManagerOptions = {}) {
  const { sessions, driver, clock } = setUp(options);
  const session = sessions.create();
  session.store("s").set("k", "mine");
  session.login("ann");
  const { token = "" } = await session.commit();
  return { sessions, driver, clock, session, token };
}

describe.each(flavours)("a token, %s", (flavour, options) => {
  test("is <32 hex>.<43 base64url>, and a third part of 43 where it is signed", async () => {
    const { token, session } = await newToken(options);
    expect(token).toMatch(
      flavour === "signed" ? /^[0-9a-f]{32}\.[\w-]{43}\.[\w-]{43}$/ : /^[0-9a-f]{32}\.[\w-]{43}$/,
    );
    expect(token.slice(0, 32)).toBe(session.id);
  });

  test("differs in every part from any other", async () => {
    const made = await Promise.all(Array.from({ length: 200 }, () => newToken(options)));
    const parts = made.flatMap(({ token }) => token.split("."));
    expect(new Set(parts).size).toBe(parts.length);
    const halves = made.flatMap(({ token }) => {
      const secret = Buffer.from(token.split(".")[1] ?? "", "base64url");
      return [secret.toString("hex", 0, 16), secret.toString("hex", 16)];
    });
    expect(new Set(halves).size).toBe(400);
  });

  test("opens nothing with any one bit of it flipped", async () => {
    const { token } = await newToken(options);
    for (let index = 0; index < token.length; index++)
      for (let bit = 0; bit < 7; bit++) {
        // A new session each: a wrong generation may end it.
        const { sessions, driver, clock, token: good } = await newToken(options);
        const flipped =
          good.slice(0, index) +
          String.fromCharCode(good.charCodeAt(index) ^ (1 << bit)) +
          good.slice(index + 1);
        const where = `${index}, bit ${bit}`;
        expect([where, await sessions.load(flipped)]).toStrictEqual([where, undefined]);
        const other = createSessionManager({ driver, clock, ...options });
        const session = await other.open(`sid=${flipped}`);
        expect([where, session.isNew]).toStrictEqual([where, true]);
        expect(session.store("s").size).toBe(0);
      }
  });

  test("has one spelling", async () => {
    const { sessions, token } = await newToken(options);
    const [id = "", ...rest] = token.split(".");
    for (const other of [
      ` ${token}`,
      `${token} `,
      `${token}\n`,
      `${token}=`,
      `"${token}"`,
      token.replaceAll("-", "+").replaceAll("_", "/").concat("x"),
      [id.toUpperCase().replace(/^/, "A").slice(0, 32), ...rest].join("."),
      encodeURIComponent(token).replaceAll(".", "%2E"),
      token.replaceAll(".", "-"),
      [id, ...rest, "x"].join("."),
      [id, ...rest, ""].join("."),
    ])
      expect([other, await sessions.load(other)]).toStrictEqual([other, undefined]);
    expect(await sessions.load(token)).toBeDefined();
  });

  test("leaves nothing in the backend with which the session could be taken over", async () => {
    const { sessions, driver, token } = await newToken(options);
    // What is written later is looked at as well.
    await request(sessions, `sid=${token}`, (session) => {
      session.rotate();
      session.store("s").set("k", "more");
    });
    const [, encoded = "", mac] = token.split(".");
    const secret = Buffer.from(encoded, "base64url");
    const parts = [secret, secret.subarray(0, 16), secret.subarray(16)];
    if (mac) parts.push(Buffer.from(mac, "base64url"));
    const spellings = parts.flatMap((part) => {
      // Base64 of something longer holds it at one of three shifts.
      const shifted = [0, 1, 2].flatMap((shift) =>
        (["base64", "base64url"] as const).map((encoding) =>
          Buffer.concat([Buffer.alloc(shift), part])
            .toString(encoding)
            .replaceAll("=", "")
            .slice(shift === 0 ? 0 : 4, shift === 0 ? 20 : -1),
        ),
      );
      return [part.toString("hex"), part.toString("latin1"), part.toString("utf8"), ...shifted];
    });
    const all = textsIn([await driver.records(), driver.calls]).join("\n");
    expect(all).toContain(token.slice(0, 32));
    for (const spelling of spellings) {
      expect(all).not.toContain(spelling);
      expect(all.toLowerCase()).not.toContain(spelling.toLowerCase());
    }
  });

  test("is never in what a session or a manager prints", async () => {
    const { sessions, token } = await newToken(options);
    const session = await sessions.open(`sid=${token}`);
    const [, secret = ""] = token.split(".");
    for (const shown of [inspect(session, { depth: 5, showHidden: true }), JSON.stringify(session)])
      expect(shown).not.toContain(secret);
    expect(inspect(sessions, { depth: 5, showHidden: true })).not.toContain(K1);
  });

  test("of another secret is unknown, and harms nobody", async () => {
    const { sessions, token } = await newToken();
    const forged = `${token.slice(0, 33)}${randomBytes(32).toString("base64url")}`;
    const session = await sessions.open(`sid=${forged}`);
    expect([session.isNew, session.rejected]).toStrictEqual([true, "unknown"]);
    expect((await sessions.open(`sid=${token}`)).store("s").get("k")).toBe("mine");
  });

  test("of no session is unknown", async () => {
    const { sessions, driver, clock, token } = await newToken(options);
    await driver.destroy(token.slice(0, 32), clock());
    expect((await sessions.open(`sid=${token}`)).rejected).toBe("unknown");
    expect(await sessions.load(token)).toBeUndefined();
  });
});

test("a token of the right family with another generation was valid once, as far as can be told", async () => {
  const { sessions, token } = await newToken();
  const secret = Buffer.from(token.slice(33), "base64url");
  const turned = Buffer.concat([secret.subarray(0, 16), randomBytes(16)]).toString("base64url");
  expect((await sessions.open(`sid=${token.slice(0, 33)}${turned}`)).rejected).toBe("reused");
});

test("an id alone, which may be logged, opens nothing", async () => {
  const { sessions, session, token } = await newToken();
  for (const text of [session.id, `${session.id}.`, `${session.id}.${"A".repeat(43)}`])
    expect(await sessions.load(text)).toBeUndefined();
  expect(await sessions.load(token)).toBeDefined();
});

test("what the backend keeps opens nothing", async () => {
  const { sessions, driver, session } = await newToken();
  const [record] = await driver.records();
  const digests = [...(record?.fields.values() ?? [])].flatMap((text) => text.match(/[\w-]{43}/g) ?? []);
  expect(digests.length).toBeGreaterThan(1);
  for (const digest of digests) {
    expect(await sessions.load(`${session.id}.${digest}`)).toBeUndefined();
    for (const other of digests) {
      const secret = Buffer.concat([
        Buffer.from(digest, "base64url").subarray(0, 16),
        Buffer.from(other, "base64url").subarray(0, 16),
      ]);
      expect(await sessions.load(`${session.id}.${secret.toString("base64url")}`)).toBeUndefined();
    }
  }
});

describe("secrets", () => {
  const keyLists = fc.shuffledSubarray([K1, K2, K3], { minLength: 1 });

  test("the newest signs, all verify, and one that was removed verifies no more", async () => {
    await fc.assert(
      fc.asyncProperty(keyLists, keyLists, async (signing, verifying) => {
        const driver = spyDriver();
        const clock = testClock();
        const cookie = await stored(createSessionManager({ driver, clock, secrets: signing }));
        const reads = driver.of("load").length;
        const verifies = verifying.some((key) => key === signing[0]);
        const session = await createSessionManager({ driver, clock, secrets: verifying }).open(cookie);
        expect(session.isNew).toBe(!verifies);
        expect(session.rejected).toBe(verifies ? undefined : "signature");
        expect(driver.of("load")).toHaveLength(reads + (verifies ? 1 : 0));
      }),
    );
  });

  test("a key goes in second, then to the front, and then the old one goes: nobody is logged out", async () => {
    const driver = spyDriver();
    const clock = testClock();
    const deployments = [[K1], [K1, K2], [K2, K1], [K2]];
    const cookies: string[] = [];
    for (const [step, secrets] of deployments.entries()) {
      const sessions = createSessionManager({ driver, clock, secrets });
      cookies.push(await stored(sessions));
      // Old and new processes run side by side while a deployment goes on.
      const before = createSessionManager({ driver, clock, secrets: deployments[step - 1] ?? secrets });
      for (const manager of [sessions, before]) expect((await manager.open(cookies[step])).isNew).toBe(false);
    }
    const last = createSessionManager({ driver, clock, secrets: [K2] });
    const known = await Promise.all(cookies.map(async (cookie) => !(await last.open(cookie)).isNew));
    expect(known).toStrictEqual([false, false, true, true]);
  });

  test("an unsigned token is not accepted where secrets are configured", async () => {
    const { driver, clock, token } = await newToken();
    const sessions = createSessionManager({ driver, clock, secrets: [K1] });
    const reads = driver.of("load").length;
    expect((await sessions.open(`sid=${token}`)).rejected).toBe("signature");
    expect(await sessions.load(token)).toBeUndefined();
    expect(driver.of("load")).toHaveLength(reads);
  });

  test("a token is signed for the cookie's name, and none in another application that shares the keys", async () => {
    const driver = spyDriver();
    const clock = testClock();
    const options = { driver, clock, secrets: [K1] };
    const shop = createSessionManager({ ...options, cookie: { name: "shop" } });
    const blog = createSessionManager({ ...options, cookie: { name: "blog" } });
    const token = (await stored(shop)).slice("shop=".length);
    const session = await blog.open(`blog=${token}`);
    expect([session.isNew, session.rejected]).toStrictEqual([true, "signature"]);
    expect(await blog.load(token)).toBeUndefined();
    expect(blog.readToken(`blog=${token}`)).toBeUndefined();
    expect(await shop.load(token)).toBeDefined();
  });

  test("a first key that can be guessed is refused with the command that makes a good one, and a later one warns", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const guessable = fc.oneof(
      // Fewer than 8 different characters.
      fc.array(fc.constantFrom(..."abcdefg"), { minLength: 32, maxLength: 64 }).map((all) => all.join("")),
      // One text over and over, the last time perhaps cut short.
      fc
        .tuple(fc.stringMatching(/^[ -~]{8,16}$/), fc.integer({ min: 32, max: 64 }))
        .map(([text, length]) => text.repeat(8).slice(0, length)),
    );
    fc.assert(
      fc.property(guessable, (key) => {
        warn.mockClear();
        const message = /secrets\[(\d)\].*randomBytes\(32\)/;
        expect(() => createSessionManager({ secrets: [key] })).toThrow(
          expect.objectContaining({ code: "ERR_SESSION_CONFIG", message: expect.stringMatching(message) }),
        );
        createSessionManager({ secrets: [K1, key] });
        expect(message.exec(String(warn.mock.calls[0]?.[0]))?.[1]).toBe("1");
        for (const [told] of warn.mock.calls) expect(String(told)).not.toContain(key);
      }),
    );
    warn.mockClear();
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }).filter((key) => new Set(key).size > 16),
        (key) => {
          createSessionManager({ secrets: [Buffer.from(key).toString("base64url")] });
        },
      ),
    );
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  test("without keys a token has no third part: one session, one spelling", async () => {
    const { sessions, token } = await newToken();
    for (const part of [K1, "A".repeat(43), token.split(".")[1]]) {
      expect((await sessions.open(`sid=${token}.${part}`)).rejected).toBe("malformed");
      expect(await sessions.load(`${token}.${part}`)).toBeUndefined();
    }
    expect(await sessions.load(token)).toBeDefined();
  });

  test("a signature of one session is none for another", async () => {
    const { sessions, token } = await newToken({ secrets: [K1] });
    const other = (await stored(sessions)).slice("sid=".length);
    const [id, secret] = token.split(".");
    const [otherId, otherSecret, otherMac] = other.split(".");
    for (const mixed of [
      [id, secret, otherMac],
      [id, otherSecret, otherMac],
      [otherId, secret, otherMac],
    ])
      expect((await sessions.open(`sid=${mixed.join(".")}`)).rejected).toBe("signature");
  });
});

test("a token that a commit returns is good at once, as a cookie and by load", async () => {
  const { sessions } = setUp();
  const session = await sessions.open(undefined);
  session.store("s").set("k", 1);
  const result = await session.commit();
  expect(cookieFrom(result)).toBe(`sid=${result.token}`);
  expect((await sessions.open(cookieFrom(result))).id).toBe(session.id);
  expect((await sessions.load(result.token ?? ""))?.id).toBe(session.id);
});
