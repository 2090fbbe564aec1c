import { type Driver, isSessionError } from "@sessions/core";
import fc from "fast-check";
import * as assert from "../assert.ts";
import type { Kit } from "../kit.ts";
import { begin, HOUR, leave, MINUTE, newId, severalDrivers, yieldToEventLoop } from "../support.ts";
import { Deviation, ruleOfError } from "./blame.ts";
import { blame, type Entry, type History, isPossible, type Pardon, shortened } from "./history.ts";
import { type Answer, type Call, type Held, perform } from "./record.ts";
import { showAnswer, showCall, showHeld } from "./show.ts";

/** A planned call, and how many passes of the event loop its caller waits before it. */
interface Planned {
  readonly wait: number;
  readonly call: (now: number) => Call;
}

/** The calls of several callers at once. Each caller makes its own calls one after the other. */
interface Plan {
  readonly start: "record" | "leftover" | "nothing";
  readonly callers: readonly (readonly Planned[])[];
}

/** How many callers, and how many calls of each. Small ones come first, because a short history is easiest to read. */
const SIZES = [
  [2, 1],
  [2, 2],
  [3, 1],
  [3, 2],
  [3, 3],
  [4, 3],
] as const;
const HISTORIES_OF_A_SIZE = 12;
/** A case makes no new history after this time, so a slow backend gets fewer of them. */
const ENOUGH_MS = 500;

function planned(
  call: fc.Arbitrary<(now: number) => Call>,
  [callers, calls]: readonly [number, number],
): fc.Arbitrary<Plan> {
  const one = fc.record({ wait: fc.nat({ max: 2 }), call });
  const caller = fc.array(one, { minLength: calls, maxLength: calls });
  return fc.record({
    start: fc.constantFrom("record", "record", "record", "leftover", "nothing"),
    callers: fc.array(caller, { minLength: callers, maxLength: callers }),
  });
}

async function prepare({ start }: Plan, driver: Driver, now: number): Promise<{ id: string; first: Held }> {
  const fields = new Map([["a/first", "1"]]);
  if (start === "nothing") return { id: newId(), first: undefined };
  if (start === "record")
    return {
      id: await begin(driver, now, { fields }),
      first: { version: 1, expiresAt: now + HOUR, fields: new Map(fields) },
    };
  return {
    id: await leave(driver, now, { fields }),
    first: { version: 1, expiresAt: now - MINUTE, fields: new Map(fields) },
  };
}

/** Makes the calls of a plan, each caller through its own driver, and loads the record after the last call. */
async function record(plan: Plan, drivers: readonly Driver[], now: number): Promise<History> {
  const { id, first } = await prepare(plan, driverOf(drivers, 0), now);
  const entries: Entry[] = [];
  let clock = 0;
  const make = async (caller: number, call: Call) => {
    const driver = caller % drivers.length;
    const begun = clock++;
    const at = entries.push({ driver, call, begun, ended: Number.POSITIVE_INFINITY, answer: undefined }) - 1;
    const answer = await makeCall(driverOf(drivers, driver), id, call, now);
    if (answer !== NONE) entries[at] = { driver, call, begun, ended: clock++, answer };
  };
  const callers = plan.callers.map(async (calls, i) => {
    for (const { wait, call } of calls) {
      for (let passes = 0; passes < wait; passes++) await yieldToEventLoop();
      await make(i, call(now));
    }
  });
  // Wait for all of them, so that no call runs on after the case has ended.
  for (const caller of await Promise.allSettled(callers))
    if (caller.status === "rejected") throw caller.reason;
  await make(0, { method: "load" });
  return { now, first, entries };
}

function driverOf(drivers: readonly Driver[], i: number): Driver {
  const driver = drivers[i];
  assert.ok(driver, "the kit must have a driver for each caller");
  return driver;
}

/** The call rejected because no result came in time. */
const NONE = Symbol("no answer");

async function makeCall(driver: Driver, id: string, call: Call, now: number): Promise<Answer | typeof NONE> {
  try {
    return await perform(driver, id, call, now);
  } catch (error) {
    if (isSessionError(error, "ERR_SESSION_UNAVAILABLE")) return NONE;
    throw new Deviation(
      ruleOfError(call),
      `${showCall(call, now)} beside other calls must not reject with ${error}`,
    );
  }
}

/** The method that a history must contain to say anything about the rule. */
const METHODS: Record<Pardon, Call["method"]> = {
  R1: "create",
  R2: "load",
  R3: "commit",
  R4: "commit",
  R5: "commit",
  R6: "commit",
  R7: "destroy",
  R10: "load",
};

/** Prints beginnings and ends in their order, one on each line. A call that nothing interrupts takes a single line. */
function print({ now, first, entries }: History): string {
  const events = entries
    .flatMap((entry) => [
      { at: entry.begun, entry },
      { at: entry.ended, entry },
    ])
    .filter(({ at }) => at !== Number.POSITIVE_INFINITY)
    .sort((a, b) => a.at - b.at);
  const lines: string[] = [];
  for (const [i, { at, entry }] of events.entries()) {
    const [who, call] = [`driver ${entry.driver + 1}`, showCall(entry.call, now)];
    const answer = showAnswer(entry.answer, now);
    if (at === entry.ended && events[i - 1]?.entry === entry) continue;
    if (at === entry.ended) lines.push(`${who} gets ${answer} from its ${entry.call.method}`);
    else if (events[i + 1]?.entry === entry) lines.push(`${who}: ${call} → ${answer}`);
    else lines.push(`${who} begins ${call}`);
  }
  const before = `before: ${first === undefined ? "no record" : showHeld(first, now)}`;
  return [before, ...lines].map((line, i) => `  ${i}. ${line}`).join("\n");
}

/**
 * Lets several callers make random calls about one record at once, and judges whether some order of the calls explains
 * their results. The error shows the shortest history that no order explains and that breaks the rule.
 */
export async function overlap(
  kit: Kit,
  rule: Pardon,
  call: fc.Arbitrary<(now: number) => Call>,
): Promise<void> {
  const several = kit.shared ? await severalDrivers(kit) : () => kit.driver;
  const drivers = Array.from({ length: kit.shared ? 4 : 1 }, (_, i) => several(i));
  const method = METHODS[rule];
  const end = Date.now() + ENOUGH_MS;
  let shortest: History | undefined;
  let said = false;
  let other = "";
  for (const size of SIZES)
    for (const plan of fc.sample(planned(call, size), { seed: kit.seed, numRuns: HISTORIES_OF_A_SIZE })) {
      if (Date.now() > end && said) break;
      const history = await record(plan, drivers, kit.now).catch((error: unknown) => {
        if (!(error instanceof Deviation)) throw error;
        assert.ok(error.rule !== rule, error.message);
        other = `${error.rule} is broken first: ${error.message}`;
      });
      said ||=
        history?.entries.some(({ call, answer }) => call.method === method && answer !== undefined) ?? false;
      if (!history || isPossible(history)) continue;
      if ((blame(history) ?? rule) !== rule) continue;
      const short = shortened(history);
      if (!shortest || short.entries.length < shortest.entries.length) shortest = short;
    }
  assert.ok(said, `${rule} could not be tested: ${other || "no call returned a result"}`);
  if (!shortest) return;
  assert.fail(
    [
      `${rule} is broken: no order of these ${shortest.entries.length} calls explains their results (seed ${kit.seed}):`,
      print(shortest),
    ].join("\n"),
  );
}
