import { randomBytes } from "node:crypto";
import { type Driver, isListingDriver } from "@sessions/core";
import fc from "fast-check";
import * as assert from "../assert.ts";
import type { Kit } from "../kit.ts";
import { idsOf, listAll } from "../paging.ts";
import { listsByPrincipal } from "../profile.ts";
import { eventually, newId } from "../support.ts";
import { mayShow } from "./blame.ts";
import { type Call, expected, type Held, isLive, perform, same } from "./record.ts";
import { showAnswer, showCall, showHeld } from "./show.ts";

/** Two drivers on one backend: the one that the case asks about, and another. */
interface Pair {
  readonly mine: Driver;
  readonly other: Driver;
}

/** A call about a record as it is. `user` makes principals that no other telling has. */
export type Told = (held: Held, now: number, user: (name: string) => string) => Call;

/** A call of one of the two drivers; `at` is how far its caller's clock is from `now`. */
export interface Line {
  readonly who: keyof Pair;
  readonly at: number;
  readonly told: Told;
}

/** Calls about one record: what makes this driver know something of it, what the other then does, and what this one does first. */
export interface Script {
  readonly known: readonly Line[];
  readonly acted: readonly Line[];
  readonly first: readonly Line[];
}

/** A script while the two drivers run it. */
interface Run {
  readonly script: Script;
  readonly id: string;
  readonly steps: string[];
  held: Held;
  /** What went wrong; the run ends there. */
  wrong: string | undefined;
}

/** More records than a case has: pages have clauses of their own. */
const MOST = 1_000;
/** So many scripts run at once: each is about a record of its own. */
const AT_ONCE = 20;
/** So many scripts have their listings in common. */
const GROUP = 40;
/** No further group begins after this time, so a slow backend gets fewer of them. */
const ENOUGH_MS = 1_000;

async function runLine(
  run: Run,
  { who, at, told }: Line,
  pair: Pair,
  now: number,
  user: (name: string) => string,
) {
  if (run.wrong !== undefined) return;
  const call = told(run.held, now, user);
  const must = expected(run.held, call, now + at);
  const clock = at === 0 ? "" : `, whose clock is at now ${at < 0 ? "-" : "+"} ${Math.abs(at) / 60_000} min`;
  const shown = `${who === "mine" ? "this driver" : "another driver"}${clock}: ${showCall(call, now)}`;
  try {
    const got = await perform(pair[who], run.id, call, now + at);
    run.steps.push(`${shown} → ${showAnswer(got, now)}`);
    const right =
      call.method === "load"
        ? mayShow(run.held, typeof got === "object" ? got : undefined, now + at)
        : got === must.answer;
    if (!right) run.wrong = `the last call must return ${showAnswer(must.answer, now)}`;
  } catch (error) {
    run.steps.push(`${shown} rejects with ${error}`);
    run.wrong = "the last call must not reject";
  }
  run.held = must.held;
}

type Runs = readonly { readonly id: string; readonly held: Held }[];

type Look = (pair: Pair, runs: Runs, now: number, user: (name: string) => string) => Promise<void>;

/** What the drivers do with all records at once, beside the scripts. */
export interface Beside {
  /** The other driver removes all records, which are so many. Returns whether it did. */
  remove?(pair: Pair, now: number, count: number): Promise<boolean>;
  /**
   * What this driver does before its own last calls. It is also called before the other driver acts, without records, so
   * that this driver knows something. Rejects with an AssertionError if it shows what is no more.
   */
  look?: Look | undefined;
}

/** The other driver did not remove all records, so there is nothing to see. */
const NOT_REMOVED = "not removed";

/** Runs all scripts on new records, and returns what went wrong first. */
async function tell(
  scripts: readonly Script[],
  pair: Pair,
  now: number,
  beside: Beside,
): Promise<string | undefined> {
  const telling = randomBytes(4).toString("hex");
  const user = (name: string) => `${name} ${telling}`;
  const runs = scripts.map(
    (script): Run => ({ script, id: newId(), steps: [], held: undefined, wrong: undefined }),
  );
  const all = async (part: keyof Script) => {
    for (let i = 0; i < runs.length; i += AT_ONCE)
      await Promise.all(
        runs.slice(i, i + AT_ONCE).map(async (run) => {
          for (const line of run.script[part]) await runLine(run, line, pair, now, user);
        }),
      );
  };
  await all("known");
  await beside.look?.(pair, [], now, user);
  await all("acted");
  if (beside.remove) {
    if (!(await beside.remove(pair, now, runs.length))) return NOT_REMOVED;
    for (const run of runs) {
      run.held = undefined;
      run.steps.push("another driver: sweep(), which removes the record");
    }
  }
  try {
    if (runs.every(({ wrong }) => wrong === undefined)) await beside.look?.(pair, runs, now, user);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  await all("first");
  const failed = runs.find(({ wrong }) => wrong !== undefined);
  return (
    failed &&
    [...failed.steps.map((step, i) => `  ${i + 1}. ${step}`), failed.wrong]
      .join("\n")
      .replaceAll(` ${telling}`, "")
  );
}

/**
 * Runs the scripts through two drivers, in an order that the seed decides. If something went wrong, one driver alone
 * makes the same calls: what it does wrong as well is another rule's, and that rule's own case reports it.
 */
export async function tellBetween(kit: Kit, scripts: readonly Script[], beside: Beside = {}): Promise<void> {
  const [other, alone] = [await kit.open(), await kit.open()];
  const [shuffled = []] = fc.sample(fc.shuffledSubarray([...scripts], { minLength: scripts.length }), {
    seed: kit.seed,
    numRuns: 1,
  });
  const end = Date.now() + ENOUGH_MS;
  for (let i = 0; i < shuffled.length && Date.now() < end; i += GROUP) {
    const group = shuffled.slice(i, i + GROUP);
    const wrong = await tell(group, { mine: kit.driver, other }, kit.now, beside);
    if (wrong === undefined || wrong === NOT_REMOVED) continue;
    if ((await tell(group, { mine: alone, other: alone }, kit.now, beside)) !== undefined) return;
    assert.fail(`a driver did not see what another had done (seed ${kit.seed}):\n${wrong}`);
  }
}

/** Whether a listing of `principal` at that time must name the record, must not, or may. */
function mustList(held: Held, principal: string | undefined, at: number): boolean | undefined {
  const live = isLive(held, at);
  if (principal !== undefined) return live && held.principal === principal;
  return live || held === undefined ? live : undefined;
}

/** This driver lists the principals that the scripts use, and all records where it can. */
export function listing(at: number): Look {
  return async ({ mine }, runs, now, user) => {
    if (!isListingDriver(mine)) return;
    await eventually(mine.eventualList === true && runs.length > 0, async () => {
      const everyone = listsByPrincipal(mine) ? [] : [undefined];
      for (const principal of [user("alice"), user("bob"), ...everyone]) {
        const found = idsOf(await listAll(mine, { principal }, now + at, MOST));
        for (const { id, held } of runs) {
          const must = mustList(held, principal, now + at);
          assert.ok(
            must === undefined || found.has(id) === must,
            `its listing must ${must ? "" : "not "}name a record that another driver has ${must ? "written" : "ended, moved or removed"}`,
          );
        }
      }
    });
  };
}

/** This driver sweeps what expired up to that time, and must leave what has been moved out of the range. */
export function sweeping(at: number): Look {
  return async ({ mine, other }, runs, now) => {
    if (runs.length === 0) return;
    const before = now + at;
    await mine.sweep({ after: 0, before, limit: MOST });
    await Promise.all(
      runs.map(async ({ id, held }) => {
        if (held === undefined || held.expiresAt < before) return;
        const left = await other.load(id);
        assert.ok(
          left !== undefined && same(left, held),
          `its sweep must leave a record whose expiry another driver has moved: ${showHeld(held, now)}`,
        );
      }),
    );
  };
}
