import { describe, expect, test } from "vitest";
import { createSessionManager, defineStore, type SessionConfigError } from "../src/index.ts";
import { memoryDriver } from "../src/memory.ts";
import { stored, thrownBy } from "./support.ts";

/** Each call with a key that is misspelt, and what was meant. Wrong on purpose: the types refuse them too. */
const misspelt: readonly [string, string, string, (options: never) => unknown][] = [
  ["createSessionManager", "idel", "idle", createSessionManager],
  ["createSessionManager", "cookies", "cookie", createSessionManager],
  ["createSessionManager", "touchevery", "touchEvery", createSessionManager],
  [
    "createSessionManager",
    "cookie.samesite",
    "cookie.sameSite",
    (cookie) => createSessionManager({ cookie }),
  ],
  [
    "createSessionManager",
    "rotation.evry",
    "rotation.every",
    (rotation) => createSessionManager({ rotation }),
  ],
  [
    "createSessionManager",
    "anonymous.maxbytes",
    "anonymous.maxBytes",
    (anonymous) => createSessionManager({ anonymous }),
  ],
  [
    "createSessionManager",
    "maxPerPrincipal.whenful",
    "maxPerPrincipal.whenFull",
    (maxPerPrincipal) => createSessionManager({ maxPerPrincipal }),
  ],
  [
    "createSessionManager",
    "metadata.lastseen",
    "metadata.lastSeen",
    (metadata) => createSessionManager({ metadata }),
  ],
  [
    "sessions.open",
    "device.useragent",
    "device.userAgent",
    (device) => createSessionManager().open(undefined, { device }),
  ],
  ["sessions.open", "toutch", "touch", (options) => createSessionManager().open(undefined, options)],
  ["sessions.load", "crosssite", "crossSite", (options) => createSessionManager().load("x", options)],
  ["sessions.list", "principle", "principal", (query) => createSessionManager().list(query).next()],
  [
    "sessions.destroy",
    "princpal",
    "principal",
    (options) => createSessionManager().destroy("0".repeat(32), options),
  ],
  ["sessions.destroyAll", "evryone", "everyone", (query) => createSessionManager().destroyAll(query)],
  ["sessions.sweep", "befor", "before", (range) => createSessionManager().sweep(range)],
  ["sessions.startSweeping", "evry", "every", (options) => createSessionManager().startSweeping(options)],
  ["session.login", "lable", "label", (options) => createSessionManager().create().login("ann", options)],
  ["session.commit", "sael", "seal", (options) => createSessionManager().create().commit(options)],
];

describe("an option that is misspelt is refused, with what was meant", () => {
  test.each(misspelt)("%s: %s for %s", async (where, key, meant, call) => {
    const { code, message } = (await thrownBy(() =>
      call({ [key.split(".").at(-1) ?? ""]: 1 } as never),
    )) as SessionConfigError;
    expect(code).toBe("ERR_SESSION_CONFIG");
    expect(message).toBe(`${where}: unknown option "${key}". Did you mean "${meant}"?`);
  });
});

test("one that resembles none is refused with those that there are", async () => {
  const { message } = await thrownBy(() =>
    createSessionManager()
      .list({ filter: 1 } as never)
      .next(),
  );
  expect(message).toBe('sessions.list: unknown option "filter". Known: principal');
});

test.each([
  [null, "null"],
  [5, "number"],
  ["redis://user:hunter2@host", "string"],
  [() => {}, "function"],
  // None of these has keys of its own, so that every option would be the default.
  [Promise.resolve({ idle: "1h" }), "promise"],
  [new URL("redis://user:hunter2@host"), "url"],
  [new Map([["idle", "1h"]]), "map"],
  [new Date(0), "date"],
  [[], "array"],
])("options must be an object: %s", async (options, got) => {
  const { message } = await thrownBy(() => createSessionManager(options as never));
  expect(message).toBe(`createSessionManager: options must be an object; got ${got}`);
});

test("a query that is no object with keys does not mean everybody's sessions, nor a range of a sweep all of them", async () => {
  const sessions = createSessionManager();
  const query = new Map([["principal", "ann"]]);
  expect((await thrownBy(() => sessions.list(query as never).next())).message).toMatch(/got map$/);
  expect((await thrownBy(() => sessions.sweep(new Date() as never))).message).toMatch(/got date$/);
});

test.each([0, null, "2030-01-01", Number.NaN])("an instant is a Date, and %s is none", async (instant) => {
  const sessions = createSessionManager();
  const calls = [
    () => sessions.sweep({ before: instant } as never),
    () => sessions.sweep({ after: instant } as never),
    () => sessions.setExpiry("0".repeat(32), instant as never),
    () => sessions.create().setExpiry(instant as never),
  ];
  for (const call of calls) expect((await thrownBy(call)).message).toBe("The date must be valid");
});

test.each(["list", "destroy", "destroyAll"] as const)(
  "%s refuses a principal that is there and undefined",
  async (method) => {
    const sessions = createSessionManager();
    await stored(sessions, (session) => session.login("ann"));
    const forgotten = { principal: undefined };
    const calls = {
      list: () => sessions.list(forgotten).next(),
      destroy: () => sessions.destroy("0".repeat(32), forgotten),
      destroyAll: () => sessions.destroyAll(forgotten as never),
    };
    expect(await thrownBy(calls[method])).toBeInstanceOf(TypeError);
    expect(await thrownBy(() => sessions.create().login(undefined as never))).toBeInstanceOf(TypeError);
  },
);

test("a driver that is still a promise is told to be awaited", async () => {
  const { code, message } = (await thrownBy(() =>
    createSessionManager({ driver: Promise.resolve(memoryDriver()) as never }),
  )) as SessionConfigError;
  expect([code, message]).toEqual(["ERR_SESSION_CONFIG", expect.stringMatching(/promise: await it/)]);
});

test("a login takes no control characters; listing and ending go on taking them", async () => {
  const sessions = createSessionManager();
  for (const principal of ["a\nb", "a\rb", "\u0000", "\u001b[31m", "\u007f", "\u0085"])
    expect(await thrownBy(() => sessions.create().login(principal))).toBeInstanceOf(TypeError);
  expect(await sessions.destroyAll({ principal: "a\nb" })).toBe(0);
  expect((await sessions.list({ principal: "a\nb" }).next()).done).toBe(true);
  sessions.create().login("Ünïcode 😀 user+x@example.org");
});

test.each([undefined, null, [], () => ({}), Promise.resolve({}), new Map()])(
  "defineStore refuses a schema that would validate nothing: %s",
  async (schema) => {
    const { code } = (await thrownBy(() =>
      defineStore("cart", { schema: schema as never }),
    )) as SessionConfigError;
    expect(code).toBe("ERR_SESSION_CONFIG");
  },
);
