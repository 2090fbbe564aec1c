import { describe, expect, test } from "vitest";
import { createSessionManager } from "../src/index.ts";
import { testClock, thrownBy } from "./support.ts";

/** Sets a property in sloppy code, as CommonJS without "use strict" is. */
const sloppily = new Function("object", "key", "value", "object[key] = value;");

describe("setting a property that a session does not have is an error that says what to do", () => {
  test.each(["user", "messages", "passport", "views", "cart", "__proto__x", "0", "sessionID"])(
    "%s",
    async (key) => {
      const session = createSessionManager().create();
      for (const set of [sloppily, Reflect.set as typeof sloppily]) {
        const error = await thrownBy(() => set(session, key, { id: 7 }));
        expect(error).toBeInstanceOf(TypeError);
        expect(error.message).toMatch(/session\.store\("app"\)\.set\(/);
        expect(error.message).toMatch(/from-express-session/);
      }
      expect(Reflect.get(session, key)).toBeUndefined();
    },
  );

  test.each(["id", "principal", "isNew", "createdAt", "expiresAt", "rejected"])(
    "also one that can only be read: %s",
    async (key) => {
      const session = createSessionManager({ clock: testClock() }).create();
      const before = Reflect.get(session, key);
      expect(await thrownBy(() => sloppily(session, key, "x"))).toBeInstanceOf(TypeError);
      expect(Reflect.get(session, key)).toEqual(before);
    },
  );
});

test.each(["login", "store", "commit", "storeNames"])(
  "data in the place of the method %s is refused, in sloppy code too; a function that wraps it is taken",
  async (key) => {
    const session = createSessionManager().create();
    const before = Reflect.get(session, key);
    for (const data of [true, { items: [] }, "ann", undefined])
      expect((await thrownBy(() => sloppily(session, key, data))).message).toMatch(/from-express-session/);
    expect(Reflect.get(session, key)).toBe(before);
    const wrapper = () => "wrapped";
    sloppily(session, key, wrapper);
    expect(Reflect.get(session, key)).toBe(wrapper);
    expect(Reflect.get(createSessionManager().create(), key)).toBe(before);
  },
);

test.each(["items", "user", "0", "size", "set"])(
  "a store refuses the property %s, and names set()",
  async (key) => {
    const cart = createSessionManager().create().store("cart");
    const error = await thrownBy(() => sloppily(cart, key, []));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain(`use set("${key}", …)`);
    expect(cart.size).toBe(0);
  },
);

test.each(["regenerate", "save", "reload", "destroy", "touch", "resetMaxAge", "cookie"])(
  "reading express-session's %s says what to do",
  async (key) => {
    const session = createSessionManager().create();
    const error = await thrownBy(() => Reflect.get(session, key));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(/from-express-session/);
    expect(await thrownBy(() => sloppily(session, key, 1))).toBeInstanceOf(TypeError);
  },
);

test("what is not there reads as undefined, and symbols pass", () => {
  const session = createSessionManager().create();
  for (const key of ["user", "then", "toJSON", "messages"]) expect(Reflect.get(session, key)).toBeUndefined();
  const note = Symbol("note");
  sloppily(session, note, 1);
  expect(Reflect.get(session, note)).toBe(1);
  expect(Object.keys(session)).toEqual([]);
  expect(session instanceof Object).toBe(true);
});
