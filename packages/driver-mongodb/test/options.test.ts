import { inspect } from "node:util";
import { isSessionError } from "@sessions/core";
import { MongoClient } from "mongodb";
import { describe, expect, test } from "vitest";
import { fromUrl, mongodbDriver } from "../src/index.ts";

// Opens nothing until it is used.
const client = new MongoClient("mongodb://127.0.0.1:1");
const collection = client.db().collection("sessions");

function errorOf(options: object): unknown {
  try {
    mongodbDriver(options);
    return undefined;
  } catch (error) {
    return error;
  }
}

describe("options", () => {
  test.each<[string, object, RegExp]>([
    ["no client", {}, /^client must be a MongoClient.*undefined/],
    ["a URL for a client", { client: "mongodb://u:secret@h" }, /^client must be a MongoClient.*"string"/],
    ["a client beside a Collection", { client, collection }, /^client must be left out/],
    ["an empty name", { client, collection: "" }, /^collection must be a name.*""/],
    ["a name with a dollar", { client, collection: "a$b" }, /^collection must be.*"a\$b"/],
    ["a name of MongoDB's own", { client, collection: "system.users" }, /^collection must be/],
    ["a name that is too long", { client, collection: "x".repeat(101) }, /^collection must be/],
    ["a number for a name", { client, collection: 5 }, /^collection must be.*5/],
    ["a time without a unit", { client, timeout: "2" }, /^timeout must be a duration.*"2"/],
    ["no time", { client, timeout: 0 }, /^timeout must be a duration.*0/],
    ["an unknown option", { client, ttl: 5 }, /^mongodbDriver: unknown option "ttl"\. Known: client, collec/],
    ["a misspelt option", { client, colection: "a" }, /^mongodbDriver: .*Did you mean "collection"\?/],
  ])("%s is SessionConfigError", (_, options, message) => {
    const error = errorOf(options);
    expect(isSessionError(error, "ERR_SESSION_CONFIG")).toBe(true);
    expect(error).toMatchObject({ message: expect.stringMatching(message) });
    expect(String(error)).not.toContain("secret");
  });

  test("a client alone, a client and a name, a Collection alone", () => {
    expect(errorOf({ client })).toBeUndefined();
    expect(errorOf({ client, collection: "app.sessions-2", timeout: "500ms" })).toBeUndefined();
    expect(errorOf({ collection })).toBeUndefined();
  });

  test.each([
    "redis://user:secret@host",
    "mongodb://",
    "mongodb://user:sec/ret@host:x",
    "http://user:secret@host",
    "mongodb://user:secret@host/?unknownOption=secret",
    "",
  ])("fromUrl refuses a URL that is none of MongoDB's, and does not show it", async (url) => {
    const error = await fromUrl(url).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "ERR_SESSION_CONFIG" });
    expect(inspect(error)).not.toMatch(/sec(ret|\/)/);
  });

  test.each([
    { collection: "a$b" },
    { timeout: 0 } as const,
    { client } as object,
    { colection: "a" } as object,
  ])("fromUrl refuses wrong options before it opens a client", async (options) => {
    await expect(fromUrl("mongodb://127.0.0.1:1", options)).rejects.toMatchObject({
      code: "ERR_SESSION_CONFIG",
    });
  });
});
