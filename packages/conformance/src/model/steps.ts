import type { Change } from "@sessions/core";
import fc from "fast-check";
import { HOUR, MINUTE, manyFields } from "../support.ts";
import { Deviation } from "./blame.ts";
import type { Held } from "./record.ts";
import { callStep, compare, lookAtAll, NAMES, type Step, USERS } from "./story.ts";

/** How often each kind of step occurs, relative to the others. */
export interface Weights {
  readonly create?: number;
  readonly commit?: number;
  /** Commits with `ifVersion`. */
  readonly compare?: number;
  readonly destroy?: number;
  readonly wait?: number;
  readonly sweep?: number;
  readonly load?: number;
}

/** The simplest value comes first, because a failing story shrinks towards it. */
const name = fc.constantFrom(...NAMES, "A", "A", "B");
const life = fc.constantFrom(HOUR, MINUTE, 1_000);
const text = fc.constantFrom("1", "2", "");
const fieldName = fc.constantFrom("a/x", "a/y", "b/x");
const principal = fc.constantFrom(undefined, ...USERS);
const fields = fc.uniqueArray(fc.tuple(fieldName, text), { selector: ([key]) => key, maxLength: 3 });
const patch = fc.uniqueArray(fc.tuple(fieldName, fc.option(text)), {
  selector: ([key]) => key,
  maxLength: 3,
});

const create = fc.record({ name, life, principal, fields }).map((told) =>
  callStep(told.name, "create", (_, now, { user }) => ({
    method: "create",
    record: {
      expiresAt: now + told.life,
      fields: new Map(told.fields),
      ...(told.principal !== undefined && { principal: user(told.principal) }),
    },
  })),
);

const load = name.map((of) => callStep(of, "load", () => ({ method: "load" })));
const destroy = name.map((of) => callStep(of, "destroy", () => ({ method: "destroy" })));

/** Sometimes many more fields, because drivers often have separate code for large changes. */
const many = fc.oneof({ weight: 40, arbitrary: fc.constant(0) }, fc.constantFrom(100, 101, 451, 1_001));

const change = {
  name,
  patch,
  many,
  // `undefined` means absent; 0 or less ends the record.
  life: fc.oneof(
    { weight: 5, arbitrary: fc.constant(undefined) },
    { weight: 3, arbitrary: life },
    fc.constantFrom(0, -1_000),
  ),
  principal: fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, fc.constantFrom(...USERS, null)),
};

/** A commit whose `ifVersion` is relative to the record's version, or to 1 if there is no record. */
const commitStep = (ifVersion: fc.Arbitrary<number | undefined>): fc.Arbitrary<Step> =>
  fc.record({ ...change, ifVersion }).map((told) =>
    callStep(told.name, "commit", (held, now, { sizes, user }) => {
      const given: { -readonly [K in keyof Change]: Change[K] } = {
        fields: new Map([...told.patch, ...manyFields(sizes, told.many, "1", told.patch.length)]),
      };
      if (told.life !== undefined) given.expiresAt = now + told.life;
      if (told.principal !== undefined) given.principal = told.principal && user(told.principal);
      if (told.ifVersion !== undefined) given.ifVersion = Math.max(0, (held?.version ?? 1) + told.ifVersion);
      return { method: "commit", change: given };
    }),
  );

/** The callers' clock goes on. Records that expire by it must stay as they were, or be hidden. */
const wait = fc.constantFrom(1_000, 10_000, MINUTE).map(
  (ms): Step => ({
    // The clock of a story stays within minutes of real time.
    check: ({ waited, enough }) => !enough() && waited + ms <= 3 * MINUTE,
    toString: () => "wait",
    async run(model, telling) {
      model.now += ms;
      model.waited += ms;
      telling.steps.push(`the callers' clock goes on by ${ms / 1000} s`);
      await compare(model, telling, () => "R2");
    },
  }),
);

const sweep = fc.record({ limit: fc.constantFrom(100, 1, 2), ago: fc.constantFrom(HOUR, MINUTE) }).map(
  (told): Step => ({
    check: ({ enough }) => !enough(),
    toString: () => "sweep",
    async run(model, telling) {
      const range = { after: model.now - told.ago, before: model.now, limit: told.limit };
      const before = await lookAtAll(telling);
      const shown = `sweep(${told.ago / MINUTE} min, limit: ${told.limit})`;
      telling.steps.push(shown);
      const count = await telling.driver.sweep(range).catch((error: unknown) => {
        throw new Deviation("R8", `${shown} must not reject with ${error}`);
      });
      telling.steps.splice(-1, 1, `${shown} → ${count}`);
      const after = await lookAtAll(telling);
      const removed = NAMES.filter((of) => before.get(of) && !after.get(of));
      const inRange = (held: Held) => held && held.expiresAt >= range.after && held.expiresAt < range.before;
      const there = telling.left && [...telling.left, ...model.held.values()].filter(inRange).length;
      const most = Math.min(told.limit, there ?? told.limit);
      if (!Number.isInteger(count) || count < removed.length || count > most)
        throw new Deviation(
          "R8",
          `it removed ${removed.length} of these records, may have removed at most ${most}, and returned ${count}`,
        );
      for (const of of removed)
        if (!inRange(before.get(of)))
          throw new Deviation("R8", `it removed ${of}, whose expiry is not in its range`);
      await compare(model, telling, () => "R8");
      telling.judged.add("sweep");
    },
  }),
);

/** Random steps, each kind as often as its weight says. */
export function steps(weights: Weights): fc.Arbitrary<Step> {
  const usual: Required<Weights> = {
    create: 5,
    commit: 6,
    compare: 2,
    destroy: 2,
    wait: 3,
    sweep: 1,
    load: 1,
  };
  const {
    create: creates,
    commit,
    compare: compares,
    destroy: destroys,
    wait: waits,
    sweep: sweeps,
    load: loads,
  } = {
    ...usual,
    ...weights,
  };
  return fc.oneof(
    { weight: creates, arbitrary: create },
    { weight: commit, arbitrary: commitStep(fc.constant(undefined)) },
    { weight: compares, arbitrary: commitStep(fc.constantFrom(0, 1, -1)) },
    { weight: destroys, arbitrary: destroy },
    { weight: waits, arbitrary: wait },
    { weight: sweeps, arbitrary: sweep },
    { weight: loads, arbitrary: load },
  );
}
