import { isSessionError } from "@sessions/core";
import {
  checkDialect,
  type Handed,
  hasMethods,
  type RawResult,
  refused,
  refusedTransaction,
  type SqlDialect,
} from "./handed.ts";

/** A client of Prisma. */
export interface PrismaLike {
  $connect(): Promise<unknown>;
  $transaction<T>(
    work: (tx: PrismaTransactionLike) => Promise<T>,
    options?: { maxWait?: number; timeout?: number },
  ): Promise<T>;
}

interface PrismaTransactionLike {
  // biome-ignore lint/suspicious/noExplicitAny: Prisma's own type of values.
  $queryRawUnsafe<T>(sql: string, ...values: any[]): PromiseLike<T>;
  // biome-ignore lint/suspicious/noExplicitAny: Prisma's own type of values.
  $executeRawUnsafe(sql: string, ...values: any[]): PromiseLike<number>;
}

const DIALECTS: Record<string, string> = { postgresql: "postgres", cockroachdb: "postgres" };

/** What to give where Prisma lacks something that the driver needs. */
const INSTEAD = {
  mysql:
    "the pool that you give PrismaMariaDb, or one of mysql2, because Prisma does not return what a statement gave to LAST_INSERT_ID()",
  sqlite:
    "a handle of better-sqlite3 or node:sqlite on the same file, because Prisma would block the process where another connection has the lock",
};

/** As long as a timer can be: the driver ends its calls itself, by errors in them. */
const LIMITS = { maxWait: 2 ** 31 - 1, timeout: 2 ** 31 - 1 };

export const isPrisma = (orm: object): orm is PrismaLike =>
  hasMethods(orm, "$queryRawUnsafe", "$executeRawUnsafe");

/**
 * Prisma lends a connection for a transaction alone. Outside of one, it would send a statement whenever a connection is
 * there, even after the call has timed out.
 */
export function prisma(client: PrismaLike, dialect: SqlDialect): Handed {
  if (!hasMethods(client, "$connect", "$transaction"))
    throw refusedTransaction("a transaction of Prisma", "the client of Prisma that began it");
  const provider: unknown = Reflect.get(client, "_activeProvider");
  const found = typeof provider === "string" ? (DIALECTS[provider] ?? provider) : undefined;
  checkDialect("a client of Prisma", found, dialect);
  if (dialect !== "postgres") throw refused(INSTEAD[dialect], "a client of Prisma");
  return {
    statements: {
      async use(work) {
        try {
          return await client.$transaction(
            (tx) => work({ run: (sql, values) => run(tx, sql, values) }),
            LIMITS,
          );
        } catch (error) {
          throw serverError(error);
        }
      },
    },
  };
}

async function run(tx: PrismaTransactionLike, sql: string, values: readonly unknown[]): Promise<RawResult> {
  if (/^(SELECT|WITH)\b/.test(sql)) return { rows: await tx.$queryRawUnsafe<object[]>(sql, ...values) };
  return { rows: [], affected: await tx.$executeRawUnsafe(sql, ...values) };
}

/** Prisma's errors of connections and transactions (P1001, P2024, P2028). The messages of others may hold values. */
const SHOWN = /^(P1\d{3}|P2024|P2028)$/;

/**
 * The server's error inside one of Prisma, in the form of `pg`, without its message: Prisma does not tell whether a trigger
 * wrote that. The error of a COMMIT is the adapter's own.
 */
function serverError(error: unknown): unknown {
  if (isSessionError(error)) return error;
  const { meta, code: own, errorCode = own } = Object(error);
  const { code: inner, driverAdapterError = error } = Object(meta);
  const code: unknown = Object(Object(driverAdapterError).cause).originalCode ?? inner;
  if (typeof code === "string")
    return Object.assign(new Error("Prisma's client refused the statement"), { code, severity: "ERROR" });
  if (SHOWN.test(errorCode)) return error;
  const hidden = new Error("Prisma's client failed. Its message may hold the row, so it is left out.");
  return Object.assign(hidden, { code: errorCode });
}
