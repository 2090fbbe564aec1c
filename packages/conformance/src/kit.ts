import { randomBytes } from "node:crypto";
import { type Driver, isClosableDriver, isListingDriver, isProvisionedDriver } from "@sessions/core";
import * as assert from "./assert.ts";
import { listsByPrincipal } from "./profile.ts";
import type { Rule, Target } from "./target.ts";
import { type Trouble, troubleOf } from "./trouble.ts";
import { watched } from "./watched.ts";
import { within } from "./within.ts";

/** What a case needs beyond the five methods. Without it the case is skipped. */
export type Need = "list" | "everyone" | "setup" | "outage" | "drop" | "shared";

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
  /** The most fields that one call takes on this target, or `Infinity`. */
  readonly maxFields: number;
  /** What the target says of that. */
  readonly fieldsPerCommit: number | undefined;
  readonly outage: Target["outage"];
  /** The seed of the random cases. */
  readonly seed: number;
  /** Whether a second driver of a namespace sees the records of the first. */
  readonly shared: boolean;
  /** Opens another driver on the same records. */
  open(): Promise<Driver>;
  /** Opens a driver in another namespace, and sets it up. `rename` makes its name from the case's own. */
  openApart(rename: (namespace: string) => string): Promise<Driver>;
  /** Notes an error before the case tidies up, so that the report names the step in which it came. */
  failed(error: unknown): void;
  /** Closes a driver that `open` returned, as the end of its process would. */
  close(driver: Driver): Promise<void>;
}

/** What was seen of a case beside its error. */
export interface Notes {
  /** What the case was doing: `"target.open()"`, `"after outage.restore()"`. Missing in the body of most cases. */
  step?: string | undefined;
  /** The first call that rejected because of the backend, while no outage was asked for. */
  trouble?: { readonly call: string; readonly error: unknown; readonly kind: Trouble } | undefined;
}

/** The step that ends every case. */
export const AFTER = "teardown() or close() after the case";
/** The longest that opening and setting up may take: some backends take long to create a table. */
const OPEN_MS = 60_000;
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
  if ((needs === "list" || needs === "everyone") && !isListingDriver(driver))
    return "the driver does not list";
  if (needs === "everyone" && listsByPrincipal(driver)) return "the driver lists only a principal's records";
  if (needs === "setup" && !isProvisionedDriver(driver)) return "the driver needs no setup";
  return undefined;
}

async function openDriver(target: Target, namespace: string, outage: boolean): Promise<Driver> {
  const driver = await target.open(namespace, { outage });
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
  // Read as unknown: the kit is called from JavaScript too.
  const { name }: { readonly name: unknown } = driver;
  assert.ok(
    typeof name === "string" && name !== "",
    "target.open() must return a driver: its name, for messages, is missing",
  );
}

/** The target's outage, of which `notes` says how far the case has come. */
function followed({ outage }: Target, notes: Notes): Target["outage"] {
  if (!outage) return undefined;
  const step = async (name: string, then: string, does: () => Promise<void>) => {
    notes.step = name;
    await does();
    notes.step = then;
  };
  const { drop } = outage;
  return {
    cut: () => step("outage.cut()", "while the backend was cut off", () => outage.cut()),
    restore: () => step("outage.restore()", "after outage.restore()", () => outage.restore()),
    drop: drop && (() => step("outage.drop()", "after outage.drop()", () => drop.call(outage))),
  };
}

/** Runs a case in a new namespace. Returns the reason if the case was skipped. `notes` are written while it runs. */
export async function runCase(
  target: Target,
  { needs, run: body }: Pick<Case, "needs" | "run">,
  seed: number,
  notes: Notes = {},
): Promise<string | undefined> {
  const namespace = `kit_${run}_${++namespaces}`;
  const after: (() => Promise<void>)[] = [];
  const closing = new Map<Driver, () => Promise<void>>();
  const fieldsPerCommit = target.limits?.fieldsPerCommit;

  /** Whether the case breaks the line. */
  const breaks = needs === "outage" || needs === "drop";
  function see(call: string, error: unknown): void {
    const kind = troubleOf(error);
    if (!breaks && kind !== undefined) notes.trouble ??= { call, error, kind };
  }
  async function stepped<T>(name: string, work: Promise<T>): Promise<T> {
    const { step } = notes;
    notes.step = name;
    const result = await within(OPEN_MS, work, `${name} did not end`);
    notes.step = step;
    return result;
  }
  async function open(name: string): Promise<Driver> {
    const driver = watched(await stepped("target.open()", openDriver(target, name, breaks)), see);
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
      await stepped("setup()", driver.setup());
    }
    return driver;
  }

  let skipped: string | undefined;
  let failure: { error: unknown; step: string | undefined } | undefined;
  const failed = (error: unknown) => {
    failure ??= { error, step: notes.step };
  };
  try {
    notes.step =
      needs === "outage" ? "before outage.cut()" : needs === "drop" ? "before outage.drop()" : undefined;
    const driver = await openFirst(namespace);
    skipped = missingInDriver(needs, driver);
    if (skipped === undefined)
      await within(
        CASE_MS,
        body({
          driver,
          now: Math.floor(Date.now() / 1000) * 1000,
          maxBytes: Math.min(MIB, target.limits?.recordBytes ?? MIB, driver.maxRecordBytes ?? MIB),
          maxFields: Math.min(...[fieldsPerCommit, driver.maxFieldsPerCommit].map((n) => n ?? Infinity)),
          fieldsPerCommit,
          outage: followed(target, notes),
          seed,
          shared: target.shared !== false,
          open: () => open(namespace),
          openApart: (rename) => openFirst(rename(namespace)),
          failed,
          close: async (opened) => closing.get(opened)?.(),
        }),
        "the case did not end",
      );
  } catch (error) {
    failed(error);
  }
  notes.step = AFTER;
  // Newest first. Run every step even if one fails, and report the case's own error before theirs.
  for (const step of after.reverse())
    await within(CASE_MS, step(), "teardown or close did not end").catch(failed);
  notes.step = failure?.step;
  if (failure) throw failure.error;
  return skipped;
}
