import { inspect } from "node:util";
import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { Session } from "../../src/drop-in/session.ts";
import { textsOf } from "../../src/drop-in/texts.ts";
import { parsedWhenRead } from "../../src/drop-in/unread.ts";

const key = fc.string({ minLength: 1 }).filter((text) => text !== "cookie" && !(text in new Session({})));
const stored = fc.dictionary(key, fc.jsonValue()).map((data) => new Map(Object.entries(data)));
const textsIn = (data: ReadonlyMap<string, unknown>): Map<string, string> =>
  new Map([...data].map(([name, value]) => [name, JSON.stringify(value)]));
const sessionOf = (texts: ReadonlyMap<string, string>): Session => new Session({}, parsedWhenRead(texts));

test("a session has the stored values, and the same texts, whether its keys were read or not", () => {
  fc.assert(
    fc.property(stored, (data) => {
      const texts = textsIn(data);
      const session = sessionOf(texts);
      expect(textsOf(session)).toEqual(texts);
      expect(new Map(Object.entries({ ...session }))).toEqual(
        new Map([...texts].map(([name, text]) => [name, JSON.parse(text)])),
      );
      expect(textsOf(session)).toEqual(texts);
    }),
  );
});

test("a change of any kind is in the texts: to a key that was read, set, deleted or defined again", () => {
  const change = fc.constantFrom("in place", "set", "delete", "define", "assign");
  fc.assert(
    fc.property(fc.dictionary(key, fc.dictionary(key, fc.integer())), change, (data, how) => {
      const session: Session & Record<string, unknown> = Object(
        sessionOf(textsIn(new Map(Object.entries(data)))),
      );
      const [name] = Object.keys(data);
      if (name === undefined) return;
      const value = { changed: true };
      if (how === "in place") Object.assign(Object(session[name]), value);
      else if (how === "set") session[name] = value;
      else if (how === "delete") delete session[name];
      else if (how === "define") Object.defineProperty(session, name, { value, enumerable: true });
      else Object.assign(session, { [name]: value });
      const expected = how === "in place" ? { ...data[name], ...value } : value;
      const text = textsOf(session).get(name);
      expect(text && JSON.parse(text)).toEqual(how === "delete" ? undefined : expected);
    }),
  );
});

test("a key that is not read is not parsed, and a damaged one harms no other", () => {
  const parse = vi.spyOn(JSON, "parse");
  const session: Session & Record<string, unknown> = Object(
    sessionOf(
      new Map([
        ["user", '"ada"'],
        ["cart", "[1]"],
        ["broken", "{secret"],
      ]),
    ),
  );
  expect(session["user"]).toBe("ada");
  textsOf(session);
  expect(session["user"]).toBe("ada");
  expect(parse).toHaveBeenCalledTimes(1);
  parse.mockRestore();
  expect(() => session["broken"]).toThrow('The key "broken" of the session is not valid JSON');
  expect(() => session["broken"]).not.toThrow("secret");
});

test("console.log shows the values", () => {
  const session = sessionOf(new Map([["user", '{"id":"ada"}']]));
  expect(inspect(session)).toBe("Session { user: { id: 'ada' } }");
  expect(JSON.stringify(session)).toBe('{"user":{"id":"ada"}}');
});
