import type { ListedRecord, ListPage } from "./contract.ts";

/**
 * Makes a page of a listing in the order of the ids (rule R13 of SPEC.md). The backend was asked for `limit` records
 * after the last id of the page before. The cursor of a full page is its last id; a page that is not full ends the
 * listing.
 *
 * @param records All records that the backend found, in the order of their ids.
 * @example
 * import type { ListedRecord, ListPage, ListQuery } from "@sessions/core";
 * import { pageById } from "@sessions/core/driver-tools";
 *
 * // SELECT … FROM sessions WHERE id > $1 ORDER BY id LIMIT $2
 * declare function select(after: string, limit: number): Promise<ListedRecord[]>;
 *
 * export async function list({ cursor = "", limit }: ListQuery): Promise<ListPage> {
 *   return pageById(await select(cursor, limit), limit);
 * }
 */
export function pageById(records: readonly ListedRecord[], limit: number): ListPage {
  const last = records.at(-1);
  return { records, ...(last && records.length >= limit && { cursor: last.id }) };
}
