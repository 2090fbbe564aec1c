import { fromUrl } from "@sessions/driver-mongodb";
import { MongoClient } from "mongodb";
import { type Backend, EXPIRY, FILLER, idOf, rows } from "../backend.ts";

interface Row {
  _id: string;
  version: number;
  expiresAt: Date;
  fields: Record<string, string>;
}

export const mongodb: Backend = {
  name: "mongodb",
  service: "mongodb",
  async open(url) {
    const client = new MongoClient(url);
    const bare = client.db().collection<Row>("bench_bare");
    const driver = await fromUrl(url, { collection: "bench" });
    await driver.setup();
    const record = { version: 1, expiresAt: new Date(EXPIRY), fields: { filler: FILLER } };
    await Promise.all(rows.map((row) => bare.replaceOne({ _id: idOf(row) }, record, { upsert: true })));
    return {
      driver,
      bare: {
        async load(row) {
          const record = await bare.findOne({ _id: idOf(row) });
          return { ...record, fields: new Map(Object.entries(record?.fields ?? {})) };
        },
        commit: (row, text) =>
          bare.updateOne(
            { _id: idOf(row), expiresAt: { $gt: new Date() } },
            { $set: { "fields.a": text }, $inc: { version: 1 } },
          ),
      },
      async close() {
        await driver.teardown();
        await bare.drop().catch(() => {});
        await Promise.all([client.close(), driver.close()]);
      },
    };
  },
};
