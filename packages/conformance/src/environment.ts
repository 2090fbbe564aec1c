import { type Driver, DriverUnavailableError } from "@sessions/core";
import { AssertionError } from "./assert.ts";
import { AFTER, type Notes, runCase } from "./kit.ts";
import { newId } from "./support.ts";
import type { Target } from "./target.ts";
import { troubleOf } from "./trouble.ts";

/** The title of the test that looks whether the target can be tested at all. */
export const ENVIRONMENT = "environment: the driver opens, is set up, and its backend answers";

const LOAD = "load() of an id that no record has";

/** The error and its causes as one line. */
export function line(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A failed connection to several addresses has an empty message, and a code.
  const text = `${error.name}: ${error.message || (Object(error).code ?? "no message")}`;
  return error.cause === undefined ? text : `${text}, caused by ${line(error.cause)}`;
}

/**
 * Opens a driver of the target, sets it up and loads once, so that a backend that was not started is told as that, and
 * not as a driver that breaks every rule. A `load` that rejects for another reason is left to the clauses.
 *
 * @throws DriverUnavailableError that says what was tried, and what came of it.
 */
export async function checkEnvironment(target: Target): Promise<void> {
  const notes: Notes = {};
  const run = async ({ driver }: { driver: Driver }) => {
    await driver.load(newId());
  };
  try {
    await runCase(target, { run }, 0, notes);
  } catch (error) {
    const tried = notes.step ?? (troubleOf(error) === undefined ? undefined : LOAD);
    // What `open` returned is no driver, or only the teardown failed: the clauses say so.
    if (tried === undefined || tried === AFTER || error instanceof AssertionError) return;
    throw new DriverUnavailableError(
      `conformance: no clause was tested, because ${tried} failed in a new namespace: ${line(error)}. Start the backend, and look at the target's address and permissions`,
      { cause: error },
    );
  }
}
