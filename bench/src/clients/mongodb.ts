import { type MongodbDriverOptions, mongodbDriver } from "@sessions/driver-mongodb";
import { MongoClient } from "mongodb";
import mongoose from "mongoose";
import { EXPIRY, FILLER, idOf, rows } from "../backend.ts";
import type { Client } from "./client.ts";

const TABLE = "bench_client";

interface Row {
  _id: string;
  version: number;
  expiresAt: Date;
  fields: Record<string, string>;
}

/** Both copies of the package, mongoose's and ours, have it. */
interface Collection {
  findOne(filter: Pick<Row, "_id">): Promise<unknown>;
  updateOne(filter: object, update: object): Promise<unknown>;
  replaceOne(filter: Pick<Row, "_id">, row: Omit<Row, "_id">, options: { upsert: true }): Promise<unknown>;
}

interface Connected {
  readonly client: MongodbDriverOptions["client"];
  /** For the same work by hand. */
  readonly bare: Collection;
  close(): Promise<unknown>;
}

const ofMongodb = (
  name: string,
  packages: string[],
  connect: (url: string) => Promise<Connected>,
): Client => ({
  ...{ driver: "mongodb", name, packages, service: "mongodb" },
  async open(url) {
    const { client, bare, close } = await connect(url);
    const record = { version: 1, expiresAt: new Date(EXPIRY), fields: { filler: FILLER } };
    await Promise.all(rows.map((row) => bare.replaceOne({ _id: idOf(row) }, record, { upsert: true })));
    return {
      driver: (namespace, timeout) => mongodbDriver({ client, collection: namespace, timeout }),
      bare: {
        load: (row) => bare.findOne({ _id: idOf(row) }),
        commit: (row, text) =>
          bare.updateOne(
            { _id: idOf(row), expiresAt: { $gt: new Date() } },
            { $set: { "fields.a": text }, $inc: { version: 1 } },
          ),
      },
      close,
    };
  },
});

export const mongodbClients: readonly Client[] = [
  ofMongodb("MongoClient", ["mongodb"], async (url) => {
    const client = new MongoClient(url);
    return { client, bare: client.db().collection<Row>(TABLE), close: () => client.close() };
  }),
  ofMongodb("Db", ["mongodb"], async (url) => {
    const client = new MongoClient(url);
    return { client: client.db(), bare: client.db().collection<Row>(TABLE), close: () => client.close() };
  }),
  ofMongodb("a connection of mongoose", ["mongoose"], async (url) => {
    const client = await mongoose.createConnection(url).asPromise();
    return { client, bare: client.getClient().db().collection<Row>(TABLE), close: () => client.close() };
  }),
];
