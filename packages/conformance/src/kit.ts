import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type Driver, isClosableDriver, isListingDriver, isProvisionedDriver } from "@sessions/core";
import type { Rule, Target } from "./target.ts";
import { within } from "./within.ts";

/** What a case needs beyond the five methods; where it is missing, the case is skipped. */
export type Need = "list" | "setup" | "outage" | "shared";

/** One clause of SPEC.md as a test. */
export interface Case {
  readonly rule: Rule;
  readonly title: string;
  readonly needs?: Need;
  run(kit: Kit): Promise<void>;
}

/** What a case works with. All that it opens is torn down and closed after it. */
export interface Kit {
  /** Opened in a namespace of the case's own, and set up. */
  readonly driver: Driver;
  /** The caller's clock: real time, cut to whole seconds so that only the cases about milliseconds depend on them. */
  readonly now: number;
  /** The most bytes that a record may hold here. */
  readonly maxBytes: number;
  readonly outage: Target["outage"];
  /** What random cases begin with. */
  readonly seed: number;
  readonly shared: boolean;
  /** Another driver on the same records. */
  open(): Promise<Driver>;
  /** A driver in another namespace, set up; the namespace is made from the case's own. */
  openApart(rename: (namespace: string) => string): Promise<Driver>;
  /** Closes a driver that `open` answered, as the end of its process would. */
  close(driver: Driver): Promise<void>;
}

/** So that a driver which never answers is a failed case, and not a run that never ends. */
const CASE_MS = 30_000;
const MIB = 1024 * 1024;
const METHODS = ["create", "load", "commit", "destroy", "sweep"] as const;
const run = randomBytes(4).toString("hex");
let namespaces = 0;

/** Why a case cannot run on this target, as far as the target says. */
export function missingInTarget(needs: Need | undefined, target: Target): string | undefined {
  if (needs === "outage" && !target.outage) return "the target has no outage";
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
  assert.ok(typeof driver === "object" && driver !== null, "target.open() must return a driver");
  return driver;
}

function checkMethods(driver: Driver): void {
  for (const method of METHODS)
    assert.ok(
      typeof driver[method] === "function",
      `target.open() must return a driver: ${method} is missing`,
    );
}

/** Runs a case in a namespace of its own; answers why it was skipped, where it was. */
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
      // Taken out before it is called: a case may close a driver itself, and nobody promises that closing twice works.
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
  // Newest first, each of them whatever became of the others; the case's own fault is the one to report.
  for (const step of after.reverse())
    await within(CASE_MS, step(), "teardown or close did not end").catch((error: unknown) =>
      faults.push(error),
    );
  if (faults.length > 0) throw faults[0];
  return skipped;
}
