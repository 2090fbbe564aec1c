import { PassThrough } from "node:stream";
import { DynamoDB, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { DynamoDBDocument, DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { PGlite } from "@electric-sql/pglite";
import { createClient as createLibsqlClient } from "@libsql/client";
import { MikroORM } from "@mikro-orm/postgresql";
import * as neon from "@neondatabase/serverless";
import { DatabaseSync } from "@photostructure/sqlite";
import { Redis as Upstash } from "@upstash/redis";
import { Batch, GlideClient } from "@valkey/valkey-glide";
import * as comlink from "comlink";
import { drizzle } from "drizzle-orm/node-postgres";
import { drizzle as drizzleOverPostgresJs } from "drizzle-orm/postgres-js";
import * as ioredis from "ioredis";
import * as iovalkey from "iovalkey";
import knex from "knex";
import { Kysely, PostgresDialect } from "kysely";
import Libsql from "libsql";
import * as mariadb from "mariadb";
import * as mariadbCallback from "mariadb/callback";
import { MongoClient } from "mongodb";
import mongoose from "mongoose";
import mysql from "mysql";
import mysql2 from "mysql2";
import * as mysql2Promises from "mysql2/promise";
import pg from "pg";
import pgPromise from "pg-promise";
import postgres from "postgres";
import * as redis from "redis";
import * as redis4 from "redis-4";
import { Sequelize } from "sequelize";
import initSqlJs from "sql.js";
import * as sqlite from "sqlite";
import { DataSource } from "typeorm";
import type { DriverName } from "./drivers.ts";
import { prismaPostgres } from "./prisma.ts";

/** The clients reach no server, because the addresses lead nowhere. */
const url = (scheme: string): string => `${scheme}://user:hunter2@127.0.0.1:1/app`;
const nowhere = { host: "127.0.0.1", port: 1 };
const rootNodes = [{ url: "redis://127.0.0.1:1" }];
const region = "eu-central-1";

/** A connection to a server that never responds. */
const silent = (): PassThrough => new PassThrough();

/** Closes the client at the tests' end, and ignores errors of that. */
const closing: (() => unknown)[] = [];
function closes<T>(client: T, close: (client: T) => unknown): T {
  closing.push(() => close(client));
  return client;
}

export async function closeAll(): Promise<void> {
  await Promise.allSettled(closing.map(async (close) => close()));
}

export interface Given {
  readonly client: unknown;
  /** The drivers that accept the client. */
  readonly fits: readonly DriverName[];
  /** The name of the client in the other drivers' errors. */
  readonly name: RegExp;
}

const pool = closes(new pg.Pool({ connectionString: url("postgres") }), (it) => it.end());
const neonPool = closes(new neon.Pool({ connectionString: url("postgres") }), (it) => it.end());
const sql = closes(postgres(url("postgres")), (it) => it.end());
const overPg = closes(knex({ client: "pg", connection: url("postgres") }), (it) => it.destroy());
const overMysql2 = closes(knex({ client: "mysql2", connection: url("mysql") }), (it) => it.destroy());
const mysql2Pool = closes(mysql2.createPool(nowhere), (it) => it.end());
const mysql2Connection = closes(mysql2.createConnection({ stream: silent, connectTimeout: 0 }), (it) =>
  it.destroy(),
);
mysql2Connection.on("error", () => {});
const cluster = closes(mysql2.createPoolCluster(), (it) => it.end());
const promiseCluster = closes(mysql2Promises.createPoolCluster({}), (it) => it.end());
const mongoClient = new MongoClient(url("mongodb"));
const dynamodbClient = new DynamoDBClient({ region });
const SqlJs = await initSqlJs();
const mikroOrm = closes(
  MikroORM.initSync({
    clientUrl: url("postgres"),
    entities: [],
    discovery: { warnWhenNoEntities: false },
    logger() {},
  }),
  (it) => it.close(),
);

/** A package that is compiled where no binary can be fetched, which may fail. */
async function betterSqlite3(): Promise<Record<string, unknown>> {
  try {
    const { default: Database } = await import("better-sqlite3");
    return { "better-sqlite3": closes(new Database(":memory:"), (it) => it.close()) };
  } catch (error) {
    if (process.env["CI"] === "true") throw error;
    console.warn(`NOT TESTED: better-sqlite3: ${error}`);
    return {};
  }
}

const is = (fits: DriverName, name: RegExp, clients: Record<string, unknown>): [string, Given][] =>
  Object.entries(clients).map(([key, client]) => [key, { client, fits: [fits], name }]);
const isNone = (name: RegExp, clients: Record<string, unknown>): [string, Given][] =>
  Object.entries(clients).map(([key, client]) => [key, { client, fits: [], name }]);

export const clients: readonly [string, Given][] = [
  ...is("redis", /a client of redis/, {
    "redis: createClient": redis.createClient(),
    "redis: withTypeMapping": redis.createClient().withTypeMapping({}),
    "redis: createClientPool": redis.createClientPool(),
    "redis: createCluster": redis.createCluster({ rootNodes }),
    "redis: createSentinel": redis.createSentinel({ name: "one", sentinelRootNodes: [nowhere] }),
  }),
  ...isNone(/a client of redis/, {
    "redis 4: createClient": redis4.createClient(),
    "redis 4: legacyMode": redis4.createClient({ legacyMode: true }),
    "redis 4: createCluster": redis4.createCluster({ rootNodes }),
  }),
  ...isNone(/a client with callbacks of redis/, { "redis: legacy": redis.createClient().legacy() }),
  ...isNone(/a pipeline or a transaction/, {
    "redis: multi": redis.createClient().multi(),
    "ioredis: pipeline": new ioredis.Redis({ lazyConnect: true }).pipeline(),
    "iovalkey: multi": new iovalkey.Redis({ lazyConnect: true }).multi(),
    "@valkey/valkey-glide: batch": new Batch(true),
  }),
  ...is("redis", /a client of ioredis or iovalkey/, {
    ioredis: new ioredis.Redis({ lazyConnect: true }),
    "ioredis: Cluster": new ioredis.Cluster([nowhere], { lazyConnect: true }),
    iovalkey: new iovalkey.Redis({ lazyConnect: true }),
    "iovalkey: Cluster": new iovalkey.Cluster([nowhere], { lazyConnect: true }),
  }),
  ...is("redis", /@upstash\/redis/, {
    "@upstash/redis": new Upstash({ url: "https://localhost", token: "x", enableTelemetry: false }),
  }),
  ...is("redis", /@valkey\/valkey-glide/, {
    "@valkey/valkey-glide": closes(
      await GlideClient.createClient({ addresses: [nowhere], lazyConnect: true }),
      (it) => it.close(),
    ),
  }),

  ...is("postgres", /a Pool or a Client of pg/, {
    "pg: Pool": pool,
    "pg: Client": new pg.Client(),
    "@neondatabase/serverless: Pool": neonPool,
    "@neondatabase/serverless: Client": new neon.Client(url("postgres")),
  }),
  ...is("postgres", /postgres\.js/, { "postgres.js": sql }),
  ...is("postgres", /neon\(\) of @neondatabase\/serverless/, {
    "@neondatabase/serverless: neon()": neon.neon("postgres://u:hunter2@one.neon.tech/app"),
  }),
  ...isNone(/pg-promise/, { "pg-promise": pgPromise({ noWarnings: true })(url("postgres")) }),
  ...is("postgres", /pglite/, { pglite: closes(new PGlite(), (it) => it.close()) }),

  ...is("postgres", /an instance of knex/, { knex: overPg }),
  ...is("mysql", /an instance of knex/, { "knex over mysql2": overMysql2 }),
  ...isNone(/knex\.client/, { "knex.client": overPg.client, "knex.client over mysql2": overMysql2.client }),
  ...is("postgres", /sequelize/i, {
    sequelize: new Sequelize(url("postgres"), { dialect: "postgres", dialectModule: pg }),
  }),
  ...isNone(/typeorm|TypeORM/, {
    "typeorm: DataSource": new DataSource({ type: "postgres", driver: pg }),
    "typeorm: EntityManager": new DataSource({ type: "postgres", driver: pg }).manager,
  }),
  ...is("postgres", /a Pool or a Client of pg/, { drizzle: drizzle(pool) }),
  ...is("postgres", /a client of postgres/, {
    "drizzle over postgres.js": drizzleOverPostgresJs(sql),
  }),
  ...is("postgres", /an instance of kysely/i, {
    kysely: new Kysely({ dialect: new PostgresDialect({ pool }) }),
  }),
  ...is("postgres", /MikroORM|an instance of knex/, {
    MikroORM: mikroOrm,
    "MikroORM: EntityManager": mikroOrm.em,
  }),
  ...is("postgres", /a client of Prisma/, { Prisma: prismaPostgres({ connectionString: url("postgres") }) }),

  ...is("mysql", /a client of mysql2/, {
    "mysql2: pool": mysql2Pool,
    "mysql2: promise pool": mysql2Pool.promise(),
    "mysql2: connection": mysql2Connection,
    "mysql2: promise connection": mysql2Connection.promise(),
    "mysql2: cluster, a pattern": cluster.of("PRIMARY*"),
    "mysql2: promise cluster, a pattern": promiseCluster.of("PRIMARY*"),
  }),
  ...isNone(/a whole PoolCluster, which may lend replicas$/, {
    "mysql2: cluster": cluster,
    "mysql2: promise cluster": promiseCluster,
    "mysql: cluster": mysql.createPoolCluster(),
    "mariadb: cluster": mariadb.createPoolCluster(),
    "mariadb: cluster with callbacks": mariadbCallback.createPoolCluster(),
  }),
  ...is("mysql", /a client of mysql$/, {
    "mysql: pool": mysql.createPool(nowhere),
    "mysql: connection": mysql.createConnection(nowhere),
    "mysql: cluster, a pattern": mysql.createPoolCluster().of("PRIMARY*"),
  }),
  ...is("mysql", /a client of mariadb/, {
    "mariadb: pool": closes(mariadb.createPool({ ...nowhere, minimumIdle: 0 }), (it) => it.end()),
    "mariadb: pool with callbacks": closes(mariadbCallback.createPool({ ...nowhere, minimumIdle: 0 }), (it) =>
      it.end(() => {}),
    ),
    "mariadb: connection with callbacks": closes(
      mariadbCallback.createConnection({ stream: silent, connectTimeout: 0 }),
      (it) => it.destroy(),
    ),
    "mariadb: cluster, a pattern": mariadb.createPoolCluster().of("PRIMARY*"),
    "mariadb: cluster with callbacks, a pattern": mariadbCallback.createPoolCluster().of("PRIMARY*"),
  }),

  ...is("mongodb", /a MongoClient of mongodb/, {
    "mongodb: MongoClient": mongoClient,
    "mongoose: getClient": new mongoose.mongo.MongoClient(url("mongodb")),
  }),
  ...is("mongodb", /a Db of mongodb/, { "mongodb: Db": mongoClient.db() }),
  ...isNone(/a Collection of mongodb/, { "mongodb: Collection": mongoClient.db().collection("sessions") }),
  ...is("mongodb", /a connection of mongoose/, {
    "mongoose: connection": mongoose.connection,
    "mongoose: createConnection": mongoose.createConnection(),
  }),
  ...is("mongodb", /got mongoose/, { mongoose }),
  ...isNone(/a session of mongodb/, {
    "mongodb: ClientSession": closes(mongoClient.startSession(), (it) => it.endSession()),
  }),

  ...is("sqlite", /a handle of better-sqlite3 or node:sqlite/, {
    ...(await betterSqlite3()),
    libsql: closes(new Libsql(":memory:"), (it) => it.close()),
    // The interface of node:sqlite, in every version of Node.
    "@photostructure/sqlite": closes(new DatabaseSync(":memory:"), (it) => it.close()),
  }),
  ...isNone(/sqlite3 or sqlite/, { sqlite: new sqlite.Database({ filename: "", driver: class {} }) }),
  ...isNone(/sql\.js/, { "sql.js": closes(new SqlJs.Database(), (it) => it.close()) }),
  ...is("sqlite", /@libsql\/client/, {
    "@libsql/client": closes(createLibsqlClient({ url: ":memory:" }), (it) => it.close()),
    "@libsql/client: a server": closes(createLibsqlClient({ url: "https://localhost" }), (it) => it.close()),
  }),
  // The names of what only Workers have.
  ...is("sqlite", /a database of Cloudflare D1/, {
    "Cloudflare D1": { prepare() {}, batch() {}, exec() {}, withSession() {}, dump() {} },
  }),
  ...is("sqlite", /the sql of a Durable Object/, {
    "a Durable Object's sql": { exec() {}, databaseSize: 0 },
  }),
  ...isNone(/a session of Cloudflare D1/, {
    "Cloudflare D1: withSession": { prepare() {}, batch() {}, getBookmark() {} },
  }),
  ...isNone(/a Durable Object's storage/, {
    "a Durable Object's storage": { sql: {}, get() {}, put() {}, transactionSync() {} },
  }),

  ...is("dynamodb", /a client of @aws-sdk\/client-dynamodb/, {
    DynamoDBClient: dynamodbClient,
    DynamoDB: new DynamoDB({ region }),
    DynamoDBDocumentClient: DynamoDBDocumentClient.from(dynamodbClient),
    DynamoDBDocument: DynamoDBDocument.from(dynamodbClient),
  }),
  ...isNone(/a client of another AWS service/, { S3Client: new S3Client({ region }) }),

  ...isNone(/has every name/, {
    comlink: comlink.wrap(closes(new MessageChannel().port1, (it) => it.close())),
  }),
  ...isNone(/a package, not a client/, {
    "the package redis": redis,
    "the package pg": pg,
    "the package mysql2": mysql2,
  }),
  ...isNone(/"function": give an instance/, {
    "the class Pool": pg.Pool,
    "the class MongoClient": MongoClient,
  }),
  ...isNone(/a promise: await it first/, { "a promise": Promise.resolve(pool) }),
];
