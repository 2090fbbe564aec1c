import {
  checkDialect,
  type Handed,
  hasMethods,
  refused,
  refusedTransaction,
  type SqlDialect,
} from "./handed.ts";

/** An instance of Sequelize 6. */
export interface SequelizeLike {
  readonly connectionManager: object;
  getDialect(): string;
}

/** The part of a connection manager that its types do not all show. */
interface ConnectionManagerLike {
  getConnection(options: { type: "write"; useMaster: true }): Promise<object>;
  releaseConnection(connection: object): unknown;
  /** Ends a connection, and takes it out of the pool. */
  destroyConnection?(connection: object): Promise<unknown>;
}

const DIALECTS: Record<string, string> = { mariadb: "mysql" };

export const isSequelize = (orm: object): orm is SequelizeLike =>
  hasMethods(orm, "getQueryInterface", "getDialect") || isTransaction(orm);

const isTransaction = (orm: object): boolean => hasMethods(orm, "commit", "rollback", "afterCommit");

const isManager = (manager: object): manager is ConnectionManagerLike =>
  hasMethods(manager, "getConnection", "releaseConnection");

export function sequelize(orm: SequelizeLike, dialect: SqlDialect): Handed {
  if (isTransaction(orm))
    throw refusedTransaction("a transaction of Sequelize", "the instance of Sequelize that began it");
  checkDialect("an instance of Sequelize", DIALECTS[orm.getDialect()] ?? orm.getDialect(), dialect);
  if (dialect === "sqlite")
    throw refused(
      "a handle of better-sqlite3 or node:sqlite on the same file, because sqlite3 does not tell whether a transaction is open",
      "an instance of Sequelize",
    );
  const { connectionManager: manager } = orm;
  if (!isManager(manager)) throw new TypeError("Sequelize has no connection manager");
  return {
    connections: {
      acquire: () => manager.getConnection({ type: "write", useMaster: true }),
      release(connection, isBroken) {
        if (isBroken && manager.destroyConnection) manager.destroyConnection(connection).catch(() => {});
        else manager.releaseConnection(connection);
      },
    },
  };
}
