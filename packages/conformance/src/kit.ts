import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type Driver, isClosableDriver, isListingDriver, isProvisionedDriver } from "@sessions/core";
import type { Rule, Target } from "./target.ts";
import { within } from "./within.ts";

/** What a case needs beyond the five methods. Without it the case is skipped. */
export type Need = "list" | "setup" | "outage" | "drop" | "shared";

/** One clause of SPEC.md as a test. */
export interface Case {
  readonly rule: Rule;
  readonly title: string;
  readonly needs?: Need;
  run(kit: Kit): Promise<void>;
}

/** The means of a case. The kit tears down and closes everything that the case opens. */
export interface Kit {
  /** A driver in a namespace that only this case uses, already set up. */
  readonly driver: Driver;
  /**
   * The caller's clock: real time in whole seconds, so that only the cases about milliseconds depend on milliseconds.
   */
  readonly now: number;
  /** The most bytes that a record can hold on this target. */
  readonly maxBytes: number;
  readonly outage: Target["outage"];
  /** The seed of the random cases. */
  readonly seed: number;
  /** Whether a second driver of a namespace sees the records of the first. */
  readonly shared: boolean;
  /** Opens another driver on the same records. */
  open(): Promise<Driver>;
  /** Opens a driver in another namespace, and sets it up. `rename` makes its name from the case's own. */
  openApart(rename: (namespace: string) => string): Promise<Driver>;
  /** Closes a driver that `open` returned, as the end of its process would. */
  close(driver: Driver): Promise<void>;
}

/** The longest that a case may take, so that a driver that hangs fails the case instead of blocking the run. */
const CASE_MS = 30_000;
const MIB = 1024 * 1024;
const METHODS = ["create", "load", "commit", "destroy", "sweep"] as const;
const run = randomBytes(4).toString("hex");
let namespaces = 0;

/** The reason why a case cannot run on this target, as far as the target alone tells. */
export function missingInTarget(needs: Need | undefined, target: Target): string | undefined {
  if ((needs === "outage" || needs === "drop") && !target.outage) return "the target has no outage";
  if (needs === "drop" && !target.outage?.drop) return "the target's outage has no drop";
  if (needs === "shared" && target.shared === false) return "the target is not shared";
  return undefined;
}

function missingInDriver(needs: Need | undefined, driver: Driver): string | undefined {
  if (needs === "list" && !isListingDriver(driver)) return "the driver does not list";
  if (needs === "setup" && !isProvisionedDriver(driver)) return "the driver needs no setup";
  return undefined;
}

async function openDriver(target: Target, namespace: string): Promise<Driver> {
  const driver = await target.open(namespace);
  assert.ok(
    typeof driver === "object" && driver !== null,
    "target.open() must return a driver, or a promise of one",
  );
  return driver;
}

function checkMethods(driver: Driver): void {
  for (const method of METHODS)
    assert.ok(
      typeof driver[method] === "function",
      `target.open() must return a driver: ${method} is missing`,
    );
}

/** Runs a case in a new namespace. Returns the reason if the case was skipped. */
export async function runCase(
  target: Target,
  { needs, run: body }: Case,
  seed: number,
): Promise<string | undefined> {
  const namespace = `kit_${run}_${++namespaces}`;
  const after: (() => Promise<void>)[] = [];
  const closing = new Map<Driver, () => Promise<void>>();

  async function open(name: string): Promise<Driver> {
    const driver = await openDriver(target, name);
    if (isClosableDriver(driver)) {
      // Delete the entry before the call: a case may close a driver itself, and a second close need not work.
      const close = async () => {
        if (closing.delete(driver)) await driver.close();
      };
      closing.set(driver, close);
      after.push(close);
    }
    checkMethods(driver);
    return driver;
  }
  async function openFirst(name: string): Promise<Driver> {
    const driver = await open(name);
    if (isProvisionedDriver(driver)) {
      after.push(() => driver.teardown());
      await driver.setup();
    }
    return driver;
  }

  let skipped: string | undefined;
  const faults: unknown[] = [];
  try {
    const driver = await openFirst(namespace);
    skipped = missingInDriver(needs, driver);
    if (skipped === undefined)
      await within(
        CASE_MS,
        body({
          driver,
          now: Math.floor(Date.now() / 1000) * 1000,
          maxBytes: Math.min(MIB, target.limits?.recordBytes ?? MIB, driver.maxRecordBytes ?? MIB),
          outage: target.outage,
          seed,
          shared: target.shared !== false,
          open: () => open(namespace),
          openApart: (rename) => openFirst(rename(namespace)),
          close: async (opened) => closing.get(opened)?.(),
        }),
        "the case did not end",
      );
  } catch (error) {
    faults.push(error);
  }
  // Newest first. Run every step even if one fails, and report the case's own error before theirs.
  for (const step of after.reverse())
    await within(CASE_MS, step(), "teardown or close did not end").catch((error: unknown) =>
      faults.push(error),
    );
  if (faults.length > 0) throw faults[0];
  return skipped;
}
