import { withService } from "@sessions/driver-tests";
import { MongoClient } from "mongodb";
import mongoose from "mongoose";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { mongodbDriver } from "../src/index.ts";
import { begin, newId, newName } from "./support.ts";

/** A connection that nothing has opened yet. */
function unopened(): mongoose.Connection {
  const connection = mongoose.createConnection();
  onTestFinished(() => connection.close());
  return connection;
}

const unavailable = { code: "ERR_SESSION_UNAVAILABLE" };

test("mongoose that connects to nothing yet is DriverUnavailableError, with what to do, and keeps no call", async () => {
  const driver = mongodbDriver({ client: unopened() });
  const message = expect.stringContaining("mongoose is not connected. Call connect()");
  for (const call of [() => driver.load(newId()), () => driver.setup(), () => driver.check()])
    await expect(call()).rejects.toMatchObject({ ...unavailable, message });
});

test("a connection of mongoose that fails is DriverUnavailableError", async () => {
  const connection = unopened();
  const driver = mongodbDriver({ client: connection, timeout: 300 });
  const opening = connection.openUri("mongodb://user:hunter2@127.0.0.1:1", { serverSelectionTimeoutMS: 50 });
  await expect(opening).rejects.toThrow();
  await expect(driver.load(newId())).rejects.toMatchObject({
    ...unavailable,
    message: expect.not.stringContaining("hunter2"),
  });
});

test("a transaction's session is refused", async () => {
  const client = new MongoClient("mongodb://127.0.0.1:1");
  const session = client.startSession();
  onTestFinished(() => session.endSession());
  const given: object = { client: session };
  expect(() => mongodbDriver(given)).toThrow(/client must be .* got a session of mongodb/);
});

await withService("mongodb", async (mongodb) => {
  const plain = new MongoClient(mongodb.url);
  afterAll(() => plain.close());
  const holds = async (database: string, collection: string, id: string): Promise<boolean> =>
    (await plain.db(database).collection<{ _id: string }>(collection).countDocuments({ _id: id })) === 1;

  describe("sessions are kept in the database of the connection", () => {
    test.each<[string, string, (connection: mongoose.Connection) => mongoose.Connection]>([
      ["that the option dbName names", "by_option", (connection) => connection],
      ["of useDb()", "by_use", (connection) => connection.useDb("by_use")],
    ])("%s, and calls wait while it opens", async (_, database, of) => {
      const connection = unopened();
      const name = newName();
      const opening = connection.openUri(mongodb.url, { dbName: "by_option" });
      const driver = mongodbDriver({ client: of(connection), collection: name });
      await driver.setup();
      const id = await begin(driver);
      expect(await holds(database, name, id)).toBe(true);
      await opening;
      await connection.close();
      await expect(driver.load(id)).rejects.toMatchObject(unavailable);
    });
  });
});
