import { type Answer, type Call, differences, type Held, isLive, leavesAsItWas, same } from "./record.ts";

/** A driver did what it must not: which rule that breaks, and what was seen. */
export class Deviation extends Error {
  override name = "Deviation";
  readonly rule: `R${number}`;
  constructor(rule: `R${number}`, what: string) {
    super(what);
    this.rule = rule;
  }
}

const byMethod = { create: "R1", load: "R2", commit: "R3", destroy: "R7" } as const;

/** The rule that a call breaks which rejects though the backend is there. */
export const ruleOfError = (call: Call): `R${number}` => byMethod[call.method];

/** The rule that a wrong answer breaks. */
export function ruleOfAnswer(call: Call, held: Held, must: Answer, got: Answer, now: number): `R${number}` {
  if (call.method !== "commit") return byMethod[call.method];
  if (must === "gone") return "R4";
  if (got !== "gone") return "R5";
  // An update of no row is easily taken for gone: the record is there, and the change leaves it as it was.
  const idle = call.change.ifVersion === undefined && isLive(held, now) && leavesAsItWas(held, call.change);
  return idle ? "R3" : "R4";
}

/** The rule that is broken where a call has left something else than it must. */
export function ruleOfState(call: Call, answer: Answer, must: Held, got: Held, now: number): `R${number}` {
  if (call.method !== "commit") return byMethod[call.method];
  if (must?.fields.size === 0 && got === undefined) return "R9";
  if (answer === "gone") return "R4";
  if (answer === "conflict") return "R5";
  // A commit that ends a record and does not.
  if (must === undefined || got === undefined || (isLive(got, now) && !isLive(must, now))) return "R4";
  const parts = differences(must, got);
  // What loses the milliseconds loses them on the way out.
  if (parts.every((part) => part === "expiresAt") && Math.abs(must.expiresAt - got.expiresAt) < 1000)
    return "R2";
  return parts.some((part) => part !== "version") ? "R3" : "R6";
}

/** Whether what `load` answered may be shown: an expired record may be hidden, and may not be changed. */
export const mayShow = (must: Held, got: Held, now: number): boolean =>
  same(must, got) || (got === undefined && !isLive(must, now));
