import process from "node:process";
import session from "express-session";
import type { Keeping } from "../sites.ts";

/** A store that people use with express-session, and a function that removes its data. */
export interface OpenedStore {
  readonly store: session.Store;
  close(): Promise<unknown>;
}

// Sites that run at the same time share a server, but no table.
const name = `peer_${process.pid}`;

/** Opens the store of a backend, with a client as in its documentation. Imports only what it needs. */
export async function openStore(keeping: Keeping, url: string): Promise<OpenedStore> {
  switch (keeping) {
    case "redis": {
      const { createClient } = await import("redis");
      const { RedisStore } = await import("connect-redis");
      const client = createClient({ url });
      await client.connect();
      const store = new RedisStore({ client, prefix: `${name}:` });
      return {
        store,
        async close() {
          await store.clear(() => {});
          await client.close();
        },
      };
    }
    case "mysql": {
      const { createPool } = await import("mysql2/promise");
      const { default: mysqlStore } = await import("express-mysql-session");
      const pool = createPool(url);
      const Store = mysqlStore(session);
      // Its types know only the callback client, but its code takes both.
      const store = new Store(
        { schema: { tableName: name } },
        pool as unknown as ConstructorParameters<typeof Store>[1],
      );
      await store.onReady();
      return {
        store,
        async close() {
          store.clearExpirationInterval();
          await pool.query("DROP TABLE ??", [name]);
          await pool.end();
        },
      };
    }
    case "mongodb": {
      const { MongoClient } = await import("mongodb");
      const { MongoStore } = await import("connect-mongo");
      const client = await new MongoClient(url).connect();
      const store = MongoStore.create({ client, collectionName: name });
      return {
        store,
        async close() {
          await client.db().collection(name).drop();
          await client.close();
        },
      };
    }
    case "dynamodb": {
      const { DeleteTableCommand, DynamoDBClient } = await import("@aws-sdk/client-dynamodb");
      const { default: dynamodbStore } = await import("connect-dynamodb");
      const client = new DynamoDBClient({
        endpoint: `http://${new URL(url.replace(/^[a-z]+:/, "ws:")).host}`,
        region: "us-east-1",
        credentials: { accessKeyId: "local", secretAccessKey: "local" },
      });
      const store = new (dynamodbStore(session))({ client, table: name });
      await store.initialize();
      return {
        store,
        async close() {
          await client.send(new DeleteTableCommand({ TableName: name }));
          client.destroy();
        },
      };
    }
    default:
      return { store: new session.MemoryStore(), close: async () => {} };
  }
}
