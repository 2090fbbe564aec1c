import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { createNamedSessions, NameTakenError } from "../src/adapter-tools.ts";
import { jsonCodec } from "../src/index.ts";
import { memoryDriver } from "../src/memory.ts";

/** A library whose names are plain texts, and that keeps JSON in the store "other". */
function library() {
  const driver = memoryDriver();
  let made = 0;
  const named = createNamedSessions(
    { driver },
    {
      tokenOf(name) {
        const hash = createHash("sha512").update(name).digest();
        return {
          id: hash.toString("hex", 0, 16),
          family: hash.subarray(16, 32),
          generation: hash.subarray(32, 48),
        };
      },
      textOf: (name) => `signed ${name}`,
      namesIn: (header) => (header ? [header] : []),
      namesOf: (text) => [text.replace("signed ", "")],
      newName: () => `made ${made++}`,
      isOurs: ({ fields }) => fields.has("other/key"),
      store: { name: "other", codec: jsonCodec },
    },
  );
  const open = async (name: string) => {
    const one = await named.open(name);
    if (!one || one === "ended") throw new Error(`no session: ${one}`);
    return one;
  };
  return { driver, ...named, open, find: named.open };
}

const change = (text: string, principal?: string) => ({
  fields: new Map([["other/key", text]]),
  expiresAt: Date.now() + 60_000,
  principal,
});

test("a session is found by its name, and its token is the name's text", async () => {
  const { create, open, sessions } = library();
  const one = create("a name");
  one.stage(change('{"a":1}'));
  expect((await one.session.commit()).token).toBe("signed a name");
  const { session } = await open("a name");
  expect(session.store("other").get("key")).toEqual({ a: 1 });
  expect((await sessions.load("signed a name"))?.id).toBe(session.id);
  expect(await sessions.load("another")).toBeUndefined();
});

test("what the library wrote before gets the fields of core with its next write", async () => {
  const { driver, create, open, sessions } = library();
  const { id } = create("old").session;
  await driver.create(
    id,
    { expiresAt: Date.now() + 60_000, fields: new Map([["other/key", "1"]]) },
    Date.now(),
  );
  expect(await sessions.valid(id)).toBe(false);
  const one = await open("old");
  await one.session.commit();
  expect((await driver.load(id))?.fields.size).toBe(1);
  one.stage(change("2"));
  await one.session.commit();
  expect(await sessions.valid(id)).toBe(true);
  expect((await open("old")).session.store("other").get("key")).toBe(2);
});

test("a principal changes under the same id, and overlapping requests that do not change it keep it", async () => {
  const { create, open, sessions } = library();
  const one = create("name");
  one.stage(change("1"));
  await one.session.commit();
  const [first, second] = [await open("name"), await open("name")];
  first.stage(change("2", "anna"));
  await first.session.commit();
  second.stage(change("3"));
  await second.session.commit();
  const listed: unknown[] = [];
  for await (const { id, principal } of sessions.list({ principal: "anna" })) listed.push([id, principal]);
  expect(listed).toEqual([[one.session.id, "anna"]]);
  const last = await open("name");
  last.stage(change("4"));
  await last.session.commit();
  expect(await sessions.destroyAll({ principal: "anna" })).toBe(0);
});

test("a commit under a name that is taken fails", async () => {
  const { create } = library();
  for (const fails of [false, true]) {
    const one = create("name", () => "name");
    one.stage(change("1"));
    const committed = one.session.commit();
    if (fails) await expect(committed).rejects.toThrow(NameTakenError);
    else await committed;
  }
});

test("a request with the name of a session that another has replaced is muted, but only if that one was stored", async () => {
  const { create, open, find } = library();
  for (const isStored of [true, false]) {
    const names = [`old ${isStored}`, `new ${isStored}`] as const;
    const one = create(names[0]);
    one.stage(change("1"));
    await one.session.commit();
    await (await open(names[0])).end(names[1]);
    const next = create(names[1]);
    if (isStored) next.stage(change("2"));
    await next.session.commit();
    const late = await find(names[0]);
    if (late === "ended" || !late) {
      expect([isStored, late]).toEqual([false, "ended"]);
      continue;
    }
    expect(isStored).toBe(true);
    late.stage(change("3"));
    expect(await late.session.commit()).toMatchObject({ status: "gone", token: undefined });
  }
});
