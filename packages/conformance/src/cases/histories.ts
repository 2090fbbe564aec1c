import type { Change } from "@sessions/core";
import fc from "fast-check";
import type { Case, Need } from "../kit.ts";
import type { Pardon } from "../model/history.ts";
import { overlap } from "../model/overlap.ts";
import type { Call } from "../model/record.ts";
import { HOUR } from "../support.ts";
import type { Rule } from "../target.ts";

type Told = (now: number) => Call;

/** Texts that hardly ever repeat, so that a text shows which commit wrote it. */
const text = fc.nat({ max: 9_999 }).map(String);
const fields = fc.uniqueArray(fc.tuple(fc.constantFrom("a/x", "a/y", "b/x"), text), {
  selector: ([name]) => name,
  minLength: 1,
  maxLength: 2,
});
const later = fc.nat({ max: 99 }).map((n) => HOUR + n * 1_000);

const commit = (change: fc.Arbitrary<(now: number) => Change>): fc.Arbitrary<Told> =>
  change.map((told) => (now) => ({ method: "commit", change: told(now) }));

const load = fc.constant<Told>(() => ({ method: "load" }));
const destroy = fc.constant<Told>(() => ({ method: "destroy" }));
const create = fc.tuple(fields, later).map(
  ([entries, life]): Told =>
    (now) => ({ method: "create", record: { expiresAt: now + life, fields: new Map(entries) } }),
);
const set = commit(fields.map((entries) => () => ({ fields: new Map(entries) })));
const remove = commit(fc.constant(() => ({ fields: new Map([["a/first", null]]) })));
const whole = commit(
  fc
    .tuple(fields, later, fc.constantFrom("alice", "bob", null))
    .map(([entries, life, principal]) => (now) => ({
      fields: new Map(entries),
      expiresAt: now + life,
      principal,
    })),
);
const touch = commit(later.map((life) => (now) => ({ fields: new Map(), expiresAt: now + life })));
const end = commit(
  fc.constantFrom(0, 1_000).map((ago) => (now) => ({ fields: new Map(), expiresAt: now - ago })),
);
const compareAndSet = commit(
  fc.tuple(fields, fc.constantFrom(1, 1, 2, 2, 3)).map(([entries, ifVersion]) => () => ({
    fields: new Map(entries),
    ifVersion,
  })),
);

function history(
  rule: Rule,
  of: Pardon,
  what: string,
  calls: readonly fc.Arbitrary<Told>[],
  needs?: Need,
): Case {
  return {
    rule,
    title: `in random histories of overlapping calls ${what}`,
    ...(needs && { needs }),
    run: (kit) => overlap(kit, of, fc.oneof(...calls)),
  };
}

/** Random overlapping calls. Some order of the calls must explain their results. */
export const historyCases: Case[] = [
  history("R1.11", "R1", "one create of each record wins", [create, create, load]),
  history("R2.9", "R2", "no load returns a state that was replaced before the load began", [
    set,
    whole,
    load,
    load,
  ]),
  history("R3.12", "R3", "no commit loses another's fields, or shows half", [
    set,
    whole,
    whole,
    remove,
    load,
    load,
  ]),
  history("R3.13", "R3", "no commit mixes a record with its successor", [
    set,
    whole,
    destroy,
    create,
    load,
    load,
  ]),
  history("R4.12", "R4", "no commit brings back what is gone", [
    set,
    touch,
    whole,
    compareAndSet,
    end,
    destroy,
    load,
  ]),
  history("R5.8", "R5", "each version is replaced by at most one compare-and-set", [
    compareAndSet,
    compareAndSet,
    load,
  ]),
  history("R6.9", "R6", "the version counts every commit once", [set, touch, whole, load]),
  history("R7.9", "R7", "one destroy of each record wins", [destroy, destroy, load]),
  history(
    "R10.4",
    "R10",
    "no driver shows what another has replaced before",
    [set, whole, destroy, load, load],
    "shared",
  ),
];
