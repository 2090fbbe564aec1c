import { SessionConfigError } from "../base/errors.ts";

/**
 * How drivers recognise clients: one table for every driver. Each row has the words for a message, then one or more
 * lists of marks; one matching list is enough. A client belongs to the first row that fits. Class names are not marks,
 * because minifiers change them. Marks are public names, so that a wrapped, extended or traced client fits too.
 *
 * `name()` is a method, `name` a property, `a.b=text` a property with that value, and `!name` must be missing.
 */
const CLIENTS = {
  anything: ["an object that has every name that it is asked for", "noClientHasThisMethod()"],

  pipeline: [
    "a pipeline or a transaction (or a connection reserved for one), not a client",
    "exec() isPipeline",
    "exec() execAsPipeline()",
    "customCommand() isAtomic",
    // postgres.js, Bun and PGlite.
    "unsafe() savepoint()",
    "unsafe() release()",
    "exec() rollback() listen()",
  ],

  // The clients that the drivers of this repository take come first, so that an extended one still fits its own row.
  redis: [
    "a client of redis",
    "sendCommand() withTypeMapping()",
    // Version 4: a client, a cluster.
    "sendCommand() executeIsolated()",
    "sendCommand() getSlotMaster()",
  ],
  pg: ["a Pool or a Client of pg", "query() connect() totalCount", "query() connect() escapeIdentifier()"],
  // The last list is nodes of a cluster.
  mysql2: [
    "a client of mysql2",
    "execute() escapeId() format() !batch",
    "query() execute() getConnection() !batch !of",
  ],
  mongodb: ["a MongoClient of mongodb", "db() withSession()"],
  // libsql has the methods of better-sqlite3, @photostructure/sqlite those of node:sqlite.
  sqlite: [
    "a handle of better-sqlite3 or node:sqlite",
    "prepare() unsafeMode()",
    "prepare() createSession()",
  ],
  // A DocumentClient fits too: it treats only its own commands differently.
  dynamodb: ["a client of @aws-sdk/client-dynamodb", "send() config.serviceId=DynamoDB"],

  ioredis: ["a client of ioredis or iovalkey", "sendCommand() defineCommand()"],
  "redis with callbacks": [
    "a client with callbacks of redis, as version 3 and legacy() make it",
    "sendCommand() send_command()",
    "sendCommand() clusterKeySlot() !on",
  ],
  "@upstash/redis": ["a client of @upstash/redis", "pipeline() autoPipeline()"],
  "@valkey/valkey-glide": ["a client of @valkey/valkey-glide", "customCommand()"],
  "bun redis": ["Bun's client of Redis", "send() hgetall() bufferedAmount"],

  "bun sql": ["Bun's client of SQL databases", "unsafe() beginDistributed()"],
  postgres: ["a client of postgres (postgres.js)", "unsafe() begin()"],
  "@neondatabase/serverless": [
    "what neon() of @neondatabase/serverless makes (its Pool is one of pg)",
    "unsafe() transaction()",
  ],
  "pg-promise": ["a database of pg-promise (its $pool is one of pg)", "oneOrNone() manyOrNone()"],
  slonik: ["a pool of slonik", "anyFirst() maybeOne()"],
  pglite: ["a database of @electric-sql/pglite", "query() execProtocol()"],

  "knex.client": ["the client of knex (knex.client)", "queryCompiler() acquireConnection()"],
  knex: ["an instance of knex", "queryBuilder() raw()"],
  sequelize: ["an instance of sequelize", "getQueryInterface()"],
  "mikro-orm": ["MikroORM", "getMetadata() em", "isInTransaction() getConnection()"],
  typeorm: ["a DataSource of typeorm, or an ORM's entity manager", "createQueryRunner()", "getRepository()"],
  prisma: ["a client of Prisma", "$connect() $transaction()"],
  drizzle: ["a database of drizzle-orm", "select() dialect session"],
  kysely: ["an instance of kysely", "selectFrom() executeQuery()"],

  mariadb: ["a client of mariadb", "query() batch() escapeId()", "query() batch() getConnection()"],
  "mysql cluster": ["a whole PoolCluster, which may lend replicas", "getConnection() of()"],
  mysql: ["a client of mysql", "query() escapeId()", "query() _getClusterNode()"],
  mssql: ["a pool of mssql", "request() batch()"],

  "mongoose connection": ["a connection of mongoose", "plugin() getClient()"],
  mongoose: ["mongoose", "plugin() model()"],
  "mongodb db": ["a Db of mongodb", "collection() command()"],
  "mongodb session": ["a session of mongodb, whose transaction may be rolled back", "startTransaction()"],
  "mongodb collection": ["a Collection of mongodb", "bulkWrite() collectionName"],

  "bun:sqlite": ["a database of bun:sqlite", "prepare() fileControl()"],
  sqlite3: ["a database of sqlite3 or sqlite", "prepare() parallelize()"],
  "sql.js": ["a database of sql.js", "prepare() getRowsModified()"],
  "d1 session": [
    "a session of Cloudflare D1, which may read from a replica (give the database itself)",
    "prepare() getBookmark()",
  ],
  d1: ["a database of Cloudflare D1", "prepare() batch() withSession()", "prepare() batch() dump()"],
  "durable object sql": ["the sql of a Durable Object's storage", "exec() databaseSize"],
  "durable object storage": ["a Durable Object's storage (its sql is a client)", "sql transactionSync()"],
  turso: ["a database of @tursodatabase/database", "prepare() batch()"],
  "other sqlite": ["a database of another package for SQLite", "prepare() run()"],
  "@libsql/client": ["a client of @libsql/client", "executeMultiple()"],

  aws: ["a client of another AWS service", "send() config.serviceId"],
  "aws-sdk": ["a client of aws-sdk 2", "makeRequest() serviceIdentifier", "createSet() transactGet()"],

  module: [
    "a package, not a client made with it",
    "createPool()",
    "createClient()",
    "createConnection()",
    "Pool() Client()",
    "MongoClient()",
    "DynamoDBClient()",
  ],
} as const;

/** The name of a row in the table of clients, for {@link checkClient}. */
export type ClientName = keyof typeof CLIENTS;

/** Reads a property by its path. Returns `undefined` if a getter throws, as those of a lazy client may. */
function read(client: unknown, path: string): unknown {
  try {
    return path.split(".").reduce<unknown>((value, name) => Object(value)[name], client);
  } catch {
    return undefined;
  }
}

function has(client: unknown, mark: string): boolean {
  if (mark.startsWith("!")) return read(client, mark.slice(1)) === undefined;
  if (mark.endsWith("()")) return typeof read(client, mark.slice(0, -2)) === "function";
  const [path = "", value] = mark.split("=");
  const found = read(client, path);
  return value === undefined ? found !== undefined : found === value;
}

const hasAll = (client: unknown, marks: string): boolean =>
  Object(client) === client && marks.split(" ").every((mark) => has(client, mark));

const isName = (name: string): name is ClientName => Object.hasOwn(CLIENTS, name);

function nameOf(client: unknown): ClientName | undefined {
  for (const [name, [, ...lists]] of Object.entries(CLIENTS))
    if (isName(name) && lists.some((marks) => hasAll(client, marks))) return name;
  return undefined;
}

/** Describes a client for messages. For an unknown value it names only the type: a URL may hold a password. */
function describeClient(client: unknown): string {
  const name = nameOf(client);
  if (name === "drizzle") return `${CLIENTS[name][0]} ($client: ${describeClient(read(client, "$client"))})`;
  if (name !== undefined) return CLIENTS[name][0];
  if (client === undefined || client === null) return String(client);
  if (has(client, "then()")) return "a promise: await it first";
  if (typeof client === "string") return '"string": fromUrl(url) takes a URL';
  return `"${typeof client}"${typeof client === "function" ? ": give an instance, not what makes one" : ""}`;
}

/**
 * Checks a driver's `client`. It looks only at names: it calls nothing and sends nothing.
 *
 * @param must What the client must be, for the message: `"a Pool or a Client of the package pg"`.
 * @param forms What the driver uses of each kind of client: `["query()", "connect() totalCount"]`. `name()` is a
 *   method, `name` a property. An object that an application writes itself needs no more than that.
 * @param takes The rows of the table that fit; clients of other rows are refused. Without it, `forms` alone decides.
 * @throws SessionConfigError Names what was given and what fits.
 * @example
 * const client: unknown = { query: async () => ({ rows: [] }) };
 * checkClient(client, "a Pool or a Client of pg", ["query()"], ["pg"]);
 */
export function checkClient(
  client: unknown,
  must: string,
  forms: readonly string[],
  takes?: readonly ClientName[],
): void {
  const name = takes && nameOf(client);
  const fits = name === undefined ? forms.some((form) => hasAll(client, form)) : takes?.includes(name);
  if (!fits) throw new SessionConfigError(`client must be ${must}; got ${describeClient(client)}`);
}
