import { describe, expect, test, vi } from "vitest";
import { type ClientName, checkClient } from "../src/driver-tools.ts";
import { thrownBy } from "./support.ts";

const FORMS = ["query()", "connect() totalCount"];

const check = (client: unknown, takes?: readonly ClientName[]): Promise<Error> =>
  thrownBy(() => checkClient(client, "a client of mine", FORMS, takes));

async function messageFor(client: unknown): Promise<string> {
  const error = await check(client, ["pg"]);
  expect(error).toMatchObject({ code: "ERR_SESSION_CONFIG" });
  return error.message;
}

describe("what is no client is named by its type, with what to do", () => {
  test.each([
    [undefined, "undefined"],
    [null, "null"],
    [5, '"number"'],
    [{}, '"object"'],
    ["redis://user:hunter2@host", '"string": fromUrl(url) takes a URL'],
    [Promise.resolve({ query() {} }), "a promise: await it first"],
    [class Pool {}, '"function": give an instance, not what makes one'],
    [() => ({ query() {} }), '"function": give an instance, not what makes one'],
    [{ createPool() {}, Pool: class {} }, "a package, not a client made with it"],
  ])("%o", async (client, got) => {
    expect(await messageFor(client)).toBe(`client must be a client of mine; got ${got}`);
  });
});

describe("an object of one's own needs what a driver uses, and no more", () => {
  test.each([
    ["one method", { query() {} }],
    ["a method and a property", { connect() {}, totalCount: 0 }],
    ["without a prototype", Object.assign(Object.create(null), { query() {} })],
    ["a function with methods", Object.assign(() => {}, { query() {} })],
  ])("%s", (_, client) => {
    for (const takes of [undefined, ["pg"] as const]) checkClient(client, "a client of mine", FORMS, takes);
  });

  test.each([
    ["the half of a form", { connect() {} }],
    ["the halves of two", { connect() {}, query: {} }],
    ["text with such a method", "query"],
  ])("but not %s", async (_, client) => {
    await messageFor(client);
  });
});

test("a client of another package is refused although it has the methods, and named", async () => {
  const knexClient = { query() {}, queryCompiler() {}, acquireConnection() {} };
  expect(await messageFor(knexClient)).toContain("got the client of knex (knex.client)");
  const drizzle = { query() {}, select() {}, dialect: {}, session: {}, $client: { unsafe() {}, begin() {} } };
  expect(await messageFor(drizzle)).toContain(
    "got a database of drizzle-orm ($client: a client of postgres (postgres.js))",
  );
});

test("where a driver names none of the table's clients, its own list of methods decides alone", () => {
  checkClient({ query() {}, queryCompiler() {}, acquireConnection() {} }, "a client of mine", FORMS);
});

describe("a client is only looked at", () => {
  test("one whose getters throw is refused, or taken for what can be seen of it", async () => {
    const hostile = new Proxy(
      {},
      {
        get: () => {
          throw new Error("hunter2");
        },
      },
    );
    expect(await messageFor(hostile)).toBe('client must be a client of mine; got "object"');
    const partly = {
      query() {},
      get connect(): never {
        throw new Error("not configured");
      },
    };
    checkClient(partly, "a client of mine", FORMS, ["pg"]);
  });

  test("one that has every name is refused, and none of its methods is called", async () => {
    const called = vi.fn();
    const everything: unknown = new Proxy(called, { get: () => everything });
    expect(await messageFor(everything)).toContain("got an object that has every name that it is asked for");
    const own = { query: called, connect: called, totalCount: 0 };
    checkClient(own, "a client of mine", FORMS, ["pg"]);
    expect(called).not.toHaveBeenCalled();
  });

  test("one that is made when it is first used passes as what it is", () => {
    const pool = { query() {}, connect() {}, totalCount: 0 };
    const lazy = new Proxy(() => {}, { get: (_, name) => Reflect.get(pool, name) });
    checkClient(lazy, "a client of mine", FORMS, ["pg"]);
  });
});
