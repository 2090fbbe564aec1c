import { type Driver, isListingDriver, type ListingDriver } from "@sessions/core";
import fc from "fast-check";
import * as assert from "../assert.ts";
import type { Kit } from "../kit.ts";
import { idsOf, listAll } from "../paging.ts";
import { eventually, newId } from "../support.ts";
import { Deviation, mayShow, ruleOfAnswer, ruleOfError, ruleOfState } from "./blame.ts";
import { type Answer, type Call, expected, type Held, isLive, perform } from "./record.ts";
import { showAnswer, showCall, showHeld } from "./show.ts";

/** The simplest possible backend, with its callers' clock. */
export interface Model {
  now: number;
  /** Whether the time is up; no step begins after that. */
  readonly enough: () => boolean;
  /** How far the clock has gone on, in milliseconds. */
  waited: number;
  readonly held: Map<string, Held>;
}

/** One story while a driver runs it. */
export interface Telling {
  /** The drivers on the backend of the story. */
  readonly drivers: readonly Driver[];
  /** The driver that makes the next call. */
  readonly driver: Driver;
  /** What a record may hold. */
  readonly sizes: Pick<Kit, "maxBytes" | "maxFields">;
  /** The driver through which the kit looks at the records after each step. */
  readonly witness: Driver;
  /** A record's id by its name in the story. */
  readonly ids: ReadonlyMap<string, string>;
  /** The principal of this story for a name that is printed; no other story has the same one. */
  readonly user: (name: string) => string;
  /** The driver, if its listings are compared too. */
  readonly lists: ListingDriver | undefined;
  /** The records that earlier stories left in the namespace; `undefined` if one of these stories broke another rule. */
  readonly left: readonly Held[] | undefined;
  /** The kinds of steps that the stories of the case have judged so far. */
  readonly judged: Set<string>;
  /** The steps so far, as they are printed. */
  readonly steps: string[];
}

/** The drivers that tell a story. */
export interface Tellers {
  readonly drivers: readonly Driver[];
  /** Looks at the records after each step. */
  readonly witness: Driver;
  /** Tells a story again that broke any rule: where it breaks none alone, the rule of the stories is broken. */
  readonly alone?: Driver;
}

/** One step of a story. */
export type Step = fc.AsyncCommand<Model, Telling>;

type RuleOf = (name: string, must: Held, got: Held) => `R${number}`;

export const NAMES: readonly string[] = ["A", "B", "C"];
export const USERS: readonly string[] = ["alice", "bob"];
/** How far the story's clock is ahead, so that no record expires by real time during the story. */
const AHEAD_MS = 30_000;
const STORIES = 100;
const MOST_STEPS = 20;
/** A case begins no new story after this time, so a slow backend gets fewer of them. */
const ENOUGH_MS = 500;

async function look({ witness, ids }: Telling, name: string): Promise<Held> {
  try {
    const record = await perform(witness, ids.get(name) ?? "", { method: "load" }, 0);
    return typeof record === "object" ? record : undefined;
  } catch (error) {
    throw new Deviation("R2", `load(${name}) must not reject with ${error}`);
  }
}

/** Loads each of the records. */
export async function lookAtAll(telling: Telling): Promise<ReadonlyMap<string, Held>> {
  const seen = await Promise.all(NAMES.map((name) => look(telling, name)));
  return new Map(NAMES.map((name, i) => [name, seen[i]]));
}

/** Compares every record with the model's after a step. `ruleOf` names the rule that a difference breaks. */
export async function compare(model: Model, telling: Telling, ruleOf: RuleOf): Promise<void> {
  const seen = await lookAtAll(telling);
  for (const [name, got] of seen) {
    const must = model.held.get(name);
    if (mayShow(must, got, model.now)) continue;
    // If a second look is right, the first load was only late.
    const late = mayShow(must, await look(telling, name), model.now);
    throw new Deviation(
      late ? "R2" : ruleOf(name, must, got),
      `load(${name}) must now answer ${showHeld(must, model.now)}, not ${showHeld(got, model.now)}`,
    );
  }
  if (telling.lists && telling.lists.eventualList !== true) await compareListings(model, telling);
}

async function compareListings(model: Model, { lists, ids, user, steps }: Telling): Promise<void> {
  if (!lists) return;
  for (const name of USERS) {
    const principal = user(name);
    const listed = await listAll(lists, { principal }, model.now, steps.length % 4 === 0 ? 2 : 50);
    const found = idsOf(listed);
    for (const [record, id] of ids) {
      const held = model.held.get(record);
      const must = isLive(held, model.now) && held.principal === principal;
      if (found.has(id) !== must)
        throw new Deviation("R13", `the listing of "${name}" must ${must ? "" : "not "}name ${record}`);
    }
  }
}

/** A step that makes one call about one record, and compares its result and the records with the model. */
export function callStep(
  name: string,
  told: string,
  callNow: (held: Held, now: number, telling: Telling) => Call,
): Step {
  return {
    check: ({ enough }) => !enough(),
    toString: () => told,
    async run(model, telling) {
      const held = model.held.get(name);
      const call = callNow(held, model.now, telling);
      const must = expected(held, call, model.now);
      const shown = showCall(call, model.now, name);
      telling.steps.push(shown);
      const got = await makeCall(telling, name, call, model.now, shown);
      telling.steps.splice(-1, 1, `${shown} → ${showAnswer(got, model.now)}`);
      if (
        call.method === "load"
          ? !mayShow(held, typeof got === "object" ? got : undefined, model.now)
          : got !== must.answer
      )
        throw new Deviation(
          ruleOfAnswer(call, held, must.answer, got, model.now),
          `this ${call.method} must return ${showAnswer(must.answer, model.now)}, not ${showAnswer(got, model.now)}`,
        );
      model.held.set(name, must.held);
      await compare(model, telling, (of, right, wrong) =>
        of === name ? ruleOfState(call, must.answer, right, wrong, model.now) : "R14",
      );
      telling.judged.add(call.method);
      if (isLive(held, model.now)) telling.judged.add(`${call.method} of a live record`);
    },
  };
}

async function makeCall(
  telling: Telling,
  name: string,
  call: Call,
  now: number,
  shown: string,
): Promise<Answer> {
  try {
    return await perform(telling.driver, telling.ids.get(name) ?? "", call, now);
  } catch (error) {
    throw new Deviation(ruleOfError(call), `${shown} must not reject with ${error}`);
  }
}

/** The kind of step that a story must contain to say anything about the rule. */
function judgedBy(rule: string): string | undefined {
  if (["R3", "R5", "R6"].includes(rule)) return "commit of a live record";
  return { R1: "create", R4: "commit", R7: "destroy of a live record", R8: "sweep" }[rule];
}

/** Makes a step through one of the story's drivers. */
export function through(which: number, step: Step): Step {
  return {
    check: (model) => step.check(model),
    toString: () => step.toString(),
    async run(model, telling) {
      const { drivers, steps } = telling;
      const at = steps.length;
      try {
        await step.run(model, { ...telling, driver: drivers[which % drivers.length] ?? telling.driver });
      } finally {
        steps[at] = `driver ${which + 1}: ${steps[at]}`;
      }
    },
  };
}

function begin(
  kit: Kit,
  { drivers, witness }: Tellers,
  rule: string,
  left: readonly Held[] | undefined,
  judged: Set<string>,
  enough: () => boolean,
): { model: Model; real: Telling } {
  const ids = new Map(NAMES.map((name) => [name, newId()]));
  const lists = rule === "R13" && isListingDriver(witness) ? witness : undefined;
  const user = (name: string) => `${name} ${ids.get("A")}`;
  return {
    model: { now: kit.now + AHEAD_MS, enough, waited: 0, held: new Map() },
    real: { sizes: kit, drivers, driver: witness, witness, ids, user, lists, left, judged, steps: [] },
  };
}

/** Whether the same story, told by one driver alone, breaks a rule too. */
async function strays(told: Iterable<Step>, alone: Driver, kit: Kit): Promise<boolean> {
  const tellers = { drivers: [alone], witness: alone };
  const setup = () => begin(kit, tellers, "", undefined, new Set(), () => false);
  return fc.asyncModelRun(setup, told).then(
    () => false,
    () => true,
  );
}

/** Prints a failed story. fast-check shortens, so the last one that failed is the shortest. */
function print(rule: string, { steps, ids, user }: Telling, what: string, seed: number): string {
  const numbered = steps.map((step, i) => `  ${i + 1}. ${step}`);
  let text = [`${rule} is broken by the last of these calls (seed ${seed}):`, ...numbered, what].join("\n");
  for (const name of USERS) text = text.replaceAll(user(name), name);
  for (const [name, id] of ids) text = text.replaceAll(id, name);
  return text;
}

/**
 * Runs random stories on the driver, and compares it with the simplest possible backend after each step. The error
 * shows the shortest story that breaks the rule. A story that breaks another rule ends there: that rule's own case
 * reports it.
 */
export async function tellStories(
  kit: Kit,
  rule: string,
  step: fc.Arbitrary<Step>,
  tellers: Tellers = { drivers: [kit.driver], witness: kit.driver },
): Promise<void> {
  const { alone } = tellers;
  let left: Held[] | undefined = [];
  let shortest: string | undefined;
  const judged = new Set<string>();
  let other = "";
  const needed = judgedBy(rule);
  const end = Date.now() + ENOUGH_MS;
  // Not fast-check's own time limit, which would leave a story running.
  const enough = () => Date.now() > end && (needed ? judged.has(needed) : judged.size > 0);
  const stories = fc.commands([step], { maxCommands: MOST_STEPS, size: "max" });
  const property = fc.asyncProperty(stories, async (told) => {
    if (enough()) return;
    const { model, real } = begin(kit, tellers, rule, left, judged, enough);
    try {
      await fc.asyncModelRun(() => ({ model, real }), told);
      if (real.lists) await eventually(real.lists.eventualList === true, () => compareListings(model, real));
    } catch (error) {
      if (!(error instanceof Deviation)) throw error;
      if (alone ? await strays(told, alone, kit) : error.rule !== rule) {
        left = undefined;
        other = `${error.rule} is broken first: ${error.message}`;
        return;
      }
      shortest = print(rule, real, error.message, kit.seed);
      throw error;
    } finally {
      left?.push(...model.held.values());
    }
  });
  const { failed, errorInstance } = await fc.check(property, { seed: kit.seed, numRuns: STORIES });
  assert.ok(
    failed || (needed ? judged.has(needed) : judged.size > 0),
    `${rule} could not be tested: ${other || "no story contained a call that it applies to"}`,
  );
  if (!failed) return;
  if (shortest !== undefined) assert.fail(shortest);
  throw errorInstance;
}
