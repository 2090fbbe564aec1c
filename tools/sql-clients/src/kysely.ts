import { checkDialect, type Handed, hasMethods, refusedTransaction, type SqlDialect } from "./handed.ts";

/** An instance of Kysely. */
export interface KyselyLike {
  readonly isTransaction: boolean;
  getExecutor(): KyselyExecutorLike;
}

interface KyselyExecutorLike {
  readonly adapter: { readonly supportsReturning: boolean; readonly supportsTransactionalDdl: boolean };
  provideConnection<T>(consumer: (connection: KyselyConnectionLike) => Promise<T>): Promise<T>;
}

interface KyselyConnectionLike {
  // biome-ignore lint/suspicious/noExplicitAny: it takes more than the driver knows of.
  executeQuery(query: any): Promise<KyselyResultLike>;
}

interface KyselyResultLike {
  readonly rows: readonly unknown[];
  readonly numAffectedRows?: bigint;
  readonly insertId?: bigint;
}

export const isKysely = (orm: object): orm is KyselyLike => hasMethods(orm, "selectFrom", "getExecutor");

/** Which database it is, by what Kysely knows that the database can do. */
function dialectOf({ adapter }: KyselyExecutorLike): SqlDialect {
  if (!adapter.supportsReturning) return "mysql";
  return adapter.supportsTransactionalDdl ? "postgres" : "sqlite";
}

/** Kysely keeps its pool to itself. Below its plugins, which may rename columns and parse texts, it runs any statement. */
export function kysely(db: KyselyLike, dialect: SqlDialect): Handed {
  if (db.isTransaction)
    throw refusedTransaction("a transaction of Kysely", "the instance of Kysely that began it");
  checkDialect("an instance of Kysely", dialectOf(db.getExecutor()), dialect);
  return {
    statements: {
      use: (work) =>
        db.getExecutor().provideConnection((connection) =>
          work({
            connection,
            async run(sql, parameters) {
              const query = { kind: "RawNode", sqlFragments: [sql], parameters: [] };
              const result = await connection.executeQuery({
                sql,
                parameters,
                query,
                queryId: { queryId: "sessions" },
              });
              return {
                rows: result.rows.map(Object),
                affected: result.numAffectedRows,
                insertId: result.insertId,
              };
            },
          }),
        ),
    },
  };
}
