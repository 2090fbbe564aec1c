import { isMap } from "../support.ts";
import type { Call, Held } from "./record.ts";

/** An instant relative to the caller's clock: `now + 1 s`. */
function instant(at: number, now: number): string {
  if (at === now) return "now";
  const ms = Math.abs(at - now);
  const text = ms % 60_000 === 0 ? `${ms / 60_000} min` : ms % 1000 === 0 ? `${ms / 1000} s` : `${ms} ms`;
  return at > now ? `now + ${text}` : `now - ${text}`;
}

/** How many fields are printed at most. */
const MOST_FIELDS = 8;

interface Parts {
  readonly version?: number | undefined;
  readonly ifVersion?: number | undefined;
  readonly expiresAt?: number | undefined;
  readonly principal?: string | null | undefined;
  readonly fields: ReadonlyMap<string, string | null>;
}

function showParts({ version, ifVersion, expiresAt, principal, fields }: Parts, now: number): string {
  const parts: string[] = [];
  if (version !== undefined) parts.push(`version: ${version}`);
  if (ifVersion !== undefined) parts.push(`ifVersion: ${ifVersion}`);
  if (expiresAt !== undefined) parts.push(`expiresAt: ${instant(expiresAt, now)}`);
  if (principal !== undefined) parts.push(`principal: ${JSON.stringify(principal)}`);
  const entries = [...fields]
    .sort()
    .slice(0, MOST_FIELDS)
    .map(([name, text]) => `${JSON.stringify(name)}: ${JSON.stringify(text)}`);
  if (fields.size > entries.length) entries.push(`... ${fields.size - entries.length} more`);
  parts.push(entries.length > 0 ? `fields: { ${entries.join(", ")} }` : "no fields");
  return `{ ${parts.join(", ")} }`;
}

/** A record, or `undefined`. */
export const showHeld = (held: Held, now: number): string =>
  held === undefined ? "undefined" : showParts(held, now);

/** The result of a call, in the notation of code. */
export function showAnswer(answer: unknown, now: number): string {
  if (typeof answer !== "object" || answer === null) return JSON.stringify(answer) ?? "undefined";
  return "fields" in answer && isMap(answer.fields)
    ? showParts({ ...answer, fields: answer.fields }, now)
    : "a value that is no record";
}

/** `commit(A, { fields: { "a/x": "1" } })`; without the name if there is only one record. */
export function showCall(call: Call, now: number, name?: string): string {
  const given =
    call.method === "create"
      ? showParts(call.record, now)
      : call.method === "commit"
        ? showParts(call.change, now)
        : undefined;
  return `${call.method}(${[name, given].filter((text) => text !== undefined).join(", ")})`;
}
