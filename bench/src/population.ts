import { createHash, randomUUID } from "node:crypto";
import { createSessionManager, type ListingDriver, type SessionManager } from "@sessions/core";

/** The records to add, numbered from `first`. The number gives each record its id and principal. */
export interface Added {
  readonly first: number;
  readonly count: number;
  readonly expiresAt: number;
}

/** A driver on its own backend, with a fast way to make very many records: copies of one that the manager wrote. */
interface OpenedPopulation {
  readonly driver: ListingDriver;
  /** Adds copies of the record `template`. */
  add(template: string, added: Added): Promise<void>;
  close(): Promise<unknown>;
}

/** Opens a population with its own table. Returns a sentence if something is missing. */
export interface PopulationBackend {
  readonly name: string;
  open(table: string): Promise<OpenedPopulation | string>;
}

/** Sessions of one principal. */
export const PER_PRINCIPAL = 10;
/** How many records one statement adds. */
export const BATCH = 10_000;

/** Returns the id of a record by its number. They are spread like real ones, and every backend can compute them. */
export const idOf = (i: number): string => createHash("sha256").update(String(i)).digest("hex").slice(0, 32);
export const principalOf = (i: number): string => `p${Math.floor(i / PER_PRINCIPAL)}`;

/** Adds records with the driver's `create`, many at once. */
export async function addOneByOne(driver: ListingDriver, template: string, added: Added): Promise<void> {
  const { first, count, expiresAt } = added;
  const fields = (await driver.load(template))?.fields ?? new Map<string, string>();
  let next = first;
  await Promise.all(
    Array.from({ length: 500 }, async () => {
      while (next < first + count) {
        const i = next++;
        // An expired record is not refused either, because the clock is the caller's.
        await driver.create(idOf(i), { expiresAt, principal: principalOf(i), fields }, 0);
      }
    }),
  );
}

/** A population for questions: sessions of 200 bytes, written by the manager. */
export interface Population {
  readonly driver: ListingDriver;
  readonly sessions: SessionManager;
  add(added: Added): Promise<void>;
  close(): Promise<unknown>;
}

/** Opens an empty population, or says what is missing. */
export async function openPopulation({ name, open }: PopulationBackend): Promise<Population | string> {
  const opened = await open(`bench_${randomUUID().slice(0, 8)}`);
  if (typeof opened === "string") return `${name}: ${opened}`;
  const { driver, close } = opened;
  const sessions = createSessionManager({ driver });
  await sessions.setup();
  const one = sessions.create();
  one.login("template");
  one.store("site").set("text", "x".repeat(200));
  await one.commit();
  return {
    driver,
    sessions,
    add: (added) => opened.add(one.id, added),
    async close() {
      await sessions.teardown();
      await close();
    },
  };
}
