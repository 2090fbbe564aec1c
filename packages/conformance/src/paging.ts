import assert from "node:assert/strict";
import { type Driver, isListingDriver, type ListedRecord, type ListingDriver } from "@sessions/core";
import type { Kit } from "./kit.ts";
import { eventually } from "./support.ts";

/** Far more pages than any case has records, and more empty ones than a test's backend has of anything. */
const MOST_PAGES = 500;
const MOST_EMPTY_PAGES = 20_000;

/** The driver as one that lists; the kit runs a case that needs it on no other. */
export function listing(driver: Driver): ListingDriver {
  assert.ok(isListingDriver(driver), "the driver does not list");
  return driver;
}

export const idsOf = (records: readonly ListedRecord[]): Set<string> => new Set(records.map(({ id }) => id));

/** Every record of a listing, by as many pages as it takes; `between` runs after each page. */
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
      `the listing must end: ${found.length} records came in ${page - 1} pages`,
    );
    const answer = await driver.list({ ...query, limit, ...(cursor !== undefined && { cursor }) }, now);
    found.push(...answer.records);
    if (answer.records.length === 0) empty++;
    cursor = answer.cursor;
    if (cursor === undefined) return found;
    await between?.(answer.records, page);
  }
}

/** The listing names these ids and no others; where its index lags, it will. */
export async function listsExactly(
  kit: Kit,
  query: { principal?: string },
  ids: readonly string[],
  at: { now?: number; limit?: number } = {},
): Promise<void> {
  const driver = listing(kit.driver);
  await eventually(driver.eventualList === true, async () => {
    const found = idsOf(await listAll(driver, query, at.now ?? kit.now, at.limit ?? 10));
    assert.deepEqual([...found].sort(), [...ids].sort());
  });
}
