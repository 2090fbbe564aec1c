import { type Driver, isListingDriver, type ListedRecord, type ListingDriver } from "@sessions/core";
import * as assert from "./assert.ts";
import type { Kit } from "./kit.ts";
import { listsByPrincipal } from "./profile.ts";
import { eventually } from "./support.ts";

/** Limits for a listing that does not end: far more pages than any case has records. */
const MOST_PAGES = 500;
const MOST_EMPTY_PAGES = 20_000;

/** Narrows the type to a driver that lists. The kit runs cases with `needs: "list"` only on such drivers. */
export function listing(driver: Driver): ListingDriver {
  assert.ok(isListingDriver(driver), "the driver does not list");
  return driver;
}

/** The listings that the driver has: of everybody, unless it lists by principal only, and of a principal. */
export const queries = (driver: Driver, principal: string): { principal?: string }[] =>
  listsByPrincipal(driver) ? [{ principal }] : [{}, { principal }];

export const idsOf = (records: readonly ListedRecord[]): Set<string> => new Set(records.map(({ id }) => id));

/** Reads every page of a listing and returns all records. `between` runs after each page but the last. */
export async function listAll(
  driver: ListingDriver,
  query: { principal?: string | undefined },
  now: number,
  limit: number,
  between?: (records: readonly ListedRecord[], page: number) => Promise<void>,
): Promise<ListedRecord[]> {
  const found: ListedRecord[] = [];
  let cursor: string | undefined;
  let empty = 0;
  for (let page = 1; ; page++) {
    assert.ok(
      page - empty <= MOST_PAGES && empty <= MOST_EMPTY_PAGES,
      `the listing must end with a missing cursor; so far ${found.length} records came in ${page - 1} pages`,
    );
    const answer = await driver.list({ ...query, limit, ...(cursor !== undefined && { cursor }) }, now);
    found.push(...answer.records);
    if (answer.records.length === 0) empty++;
    cursor = answer.cursor;
    if (cursor === undefined) return found;
    await between?.(answer.records, page);
  }
}

/** Asserts that the listing names exactly these ids. Waits for an index that lags (`eventualList`). */
export async function listsExactly(
  kit: Kit,
  query: { principal?: string },
  ids: readonly string[],
  at: { now?: number; limit?: number } = {},
): Promise<void> {
  const driver = listing(kit.driver);
  await eventually(driver.eventualList === true, async () => {
    const found = idsOf(await listAll(driver, query, at.now ?? kit.now, at.limit ?? 10));
    assert.deepEqual([...found].sort(), [...ids].sort(), "the ids in the listing");
  });
}
