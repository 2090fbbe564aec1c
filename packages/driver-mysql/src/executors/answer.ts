import type { MysqlResult } from "../executor.ts";

const IN_TRANSACTION = 1;

/** What `mysql2` and `mysql` return for a statement: a list of rows, or the server's packet of one without rows. */
export function resultOf(answer: unknown): MysqlResult {
  if (Array.isArray(answer)) return { rows: answer };
  const { affectedRows, insertId, serverStatus }: Record<string, unknown> = Object(answer);
  return {
    rows: [],
    affectedRows: Number(affectedRows),
    insertId: Number(insertId),
    inTransaction: (Number(serverStatus) & IN_TRANSACTION) !== 0,
  };
}
