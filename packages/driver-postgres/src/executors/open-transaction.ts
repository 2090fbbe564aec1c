import { ranInTransaction } from "../errors.ts";

/** A client's statement, which is sent when it is awaited, and returns rows. */
type Sends<Rows> = (text: string, values: (string | null)[]) => PromiseLike<Rows>;

/** Returns a row if an open transaction has written something. */
export const ASKS = "SELECT 1 WHERE txid_current_if_assigned() IS NOT NULL";

/**
 * Sends a statement through a client with a single connection, on which the application may have begun a transaction. The
 * client does not tell, so behind each write goes a question, in the same round trip.
 */
export async function sendAndAsk<Rows extends readonly unknown[]>(
  send: Sends<Rows>,
  text: string,
  values: (string | null)[],
): Promise<Rows> {
  if (text.startsWith("SELECT")) return send(text, values);
  const [result, open] = await Promise.all([send(text, values), send(ASKS, [])]);
  if (open.length > 0) throw ranInTransaction();
  return result;
}
