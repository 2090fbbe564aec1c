import type { ListedRecord, ListPage } from "./contract.ts";

/**
 * A page of a listing in the order of the ids (R13), for a backend that was asked for `limit` records behind the last
 * id of the page before. A full page has its own last id as the cursor; one that is not full ends the listing.
 *
 * @param records All that the backend found, in the order of their ids.
 * @example
 * async list({ cursor = "", limit }, now) {
 *   const { rows } = await query("SELECT … WHERE id > $1 ORDER BY id LIMIT $2", [cursor, limit]);
 *   return pageById(rows.map(parseRow), limit);
 * }
 */
export function pageById(records: readonly ListedRecord[], limit: number): ListPage {
  const last = records.at(-1);
  return { records, ...(last && records.length >= limit && { cursor: last.id }) };
}
