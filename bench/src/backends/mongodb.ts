import { fromUrl } from "@sessions/driver-mongodb";
import { MongoClient } from "mongodb";
import { type Backend, FILLER, rows } from "../backend.ts";

export const mongodb: Backend = {
  name: "mongodb",
  service: "mongodb",
  async open(url) {
    const client = new MongoClient(url);
    const bare = client.db().collection<{ _id: number; fields: Record<string, string> }>("bench_bare");
    const driver = await fromUrl(url, { collection: "bench" });
    await driver.setup();
    const filler = { fields: { filler: FILLER } };
    await Promise.all(rows.map((row) => bare.replaceOne({ _id: row }, filler, { upsert: true })));
    return {
      driver,
      bare: {
        load: (row) => bare.findOne({ _id: row }),
        commit: (row, text) => bare.updateOne({ _id: row }, { $set: { "fields.a": text } }),
      },
      async close() {
        await driver.teardown();
        await bare.drop().catch(() => {});
        await Promise.all([client.close(), driver.close()]);
      },
    };
  },
};
