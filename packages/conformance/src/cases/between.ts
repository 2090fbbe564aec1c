import type { Change } from "@sessions/core";
import type { Case } from "../kit.ts";
import { type Line, listing, type Script, sweeping, type Told, tellBetween } from "../model/pair.ts";
import type { Held } from "../model/record.ts";
import { HOUR, MINUTE, set } from "../support.ts";

/** The clock of the last calls: later than the short life of a record. */
const LATER = 2 * MINUTE;

const line =
  (who: Line["who"]) =>
  (told: Told, at = 0): Line => ({ who, at, told });
const mine = line("mine");
const other = line("other");

const load: Told = () => ({ method: "load" });
const destroy: Told = () => ({ method: "destroy" });
const create =
  (life: number, text: string): Told =>
  (_, now, user) => ({
    method: "create",
    record: { expiresAt: now + life, principal: user("alice"), fields: new Map([["a/x", text]]) },
  });
const commit =
  (change: (now: number, held: Held, user: (name: string) => string) => Change): Told =>
  (held, now, user) => ({ method: "commit", change: change(now, held, user) });
const write = (name: string): Told => commit(() => set(name, "1"));
const touch = (life: number): Told => commit((now) => ({ fields: new Map(), expiresAt: now + life }));
const principal = (name: string): Told =>
  commit((_, __, user) => ({ fields: new Map(), principal: user(name) }));
/** A compare-and-set with the record's version, or one beside it. */
const compare = (beside: number): Told =>
  commit((_, held) => ({ ...set("a/compared", "1"), ifVersion: Math.max(0, (held?.version ?? 1) + beside) }));

/** How this driver came to know a live record. */
const knowsLive = (life: number, at = 0): Line[][] => {
  const first = create(life, "1");
  return [
    [mine(first, at)],
    [other(first, at), mine(load, at)],
    [other(first, at), mine(write("a/known"), at)],
    [other(first, at), mine(compare(0), at)],
    [other(first, at), mine(compare(7), at)],
    [other(first, at), mine(create(life, "refused"), at)],
  ];
};

/** How this driver came to know that there is no record. */
const knowsNone = (): Line[][] => [
  ...[load, write("a/known"), compare(0), destroy].map((look) => [mine(look)]),
  [mine(create(HOUR, "1")), mine(destroy)],
  ...[load, write("a/known"), compare(0), destroy].map((look) => [
    mine(create(HOUR, "1")),
    other(destroy),
    mine(look),
  ]),
];

/** How this driver came to know a record as expired, or as ended: others' clocks are behind its own. */
const knowsExpired = (): Line[][] =>
  [write("a/known"), destroy].map((look) => [other(create(MINUTE, "1")), mine(look, LATER)]);

/** What this driver does first, and what another then finds. */
const firstCalls = (at: number): Line[][] =>
  [
    load,
    commit(() => ({
      fields: new Map([
        ["a/mine", "1"],
        ["a/x", "1"],
      ]),
    })),
    touch(HOUR),
    compare(0),
    compare(-1),
    compare(1),
    destroy,
    create(2 * HOUR, "new"),
  ].map((told) => [mine(told, at), other(load, at)]);

const scripts = (known: Line[][], acted: Line[][], first: Line[][] = [[]]): Script[] =>
  known.flatMap((knew) =>
    acted.flatMap((act) => first.map((call) => ({ known: knew, acted: act, first: call }))),
  );

/** Other drivers create what this one knew as missing, as expired, or as another record. */
const creates = (first?: Line[][]): Script[] => [
  ...scripts(knowsNone(), [[other(create(HOUR, "2"))]], first),
  ...scripts(knowsLive(HOUR), [[other(destroy), other(create(HOUR, "2"))]], first),
  ...scripts(knowsLive(-MINUTE, -LATER), [[other(create(HOUR, "2"))]], first),
];

/** Other drivers change what this one knew. */
const commits = (first?: Line[][]): Script[] => [
  ...scripts(
    knowsLive(HOUR),
    [
      [other(write("a/other"))],
      [other(touch(3 * HOUR))],
      [other(commit((_, __, user) => ({ fields: new Map([["a/x", null]]), principal: user("bob") })))],
      [other(touch(-1_000))],
    ],
    first,
  ),
  ...scripts([...knowsLive(MINUTE), ...knowsExpired()], [[other(touch(HOUR))]], first),
];

const destroys = (first?: Line[][]): Script[] => scripts(knowsLive(HOUR), [[other(destroy)]], first);

/** The same after each act: this driver's first call on each record, its listing, its sweep. */
function seen(
  rule: Case["rule"],
  act: string,
  told: (first?: Line[][]) => Script[],
  more: Script[] = [],
): Case {
  return {
    rule,
    title: `after another driver's ${act}, this driver's first call sees it, whatever it knew before`,
    needs: "shared",
    async run(kit) {
      const listed = listing(LATER);
      // It has also listed the records, before the other driver acts.
      const before: typeof listed = (pair, runs, ...rest) =>
        runs.length === 0 ? listed(pair, runs, ...rest) : Promise.resolve();
      await tellBetween(kit, told(firstCalls(LATER)), { look: before });
      await tellBetween(kit, told(), { look: listed });
      if (more.length > 0) await tellBetween(kit, more, { look: listed });
      await tellBetween(kit, told(), { look: sweeping(LATER) });
    },
  };
}

/** What a driver knows of records that other drivers change: it must be worth nothing. */
export const betweenCases: Case[] = [
  seen("R10.5", "create", creates),
  seen(
    "R10.6",
    "commit",
    commits,
    // What the other driver moved to another principal, this one moves back.
    scripts(knowsLive(HOUR), [[other(principal("bob")), mine(principal("alice"))]]),
  ),
  seen("R10.7", "destroy", destroys),
  {
    rule: "R10.8",
    title: "after another driver's sweep, this driver's first call sees it, whatever it knew before",
    needs: "shared",
    async run(kit) {
      // A backend that expires records itself may leave none to the sweep. Then there is nothing to see.
      const swept = (first?: Line[][]) => scripts(knowsLive(-MINUTE, -LATER), [[]], first);
      for (const [all, look] of [
        [swept(firstCalls(-LATER)), undefined],
        [swept(), listing(-LATER)],
      ] as const)
        await tellBetween(kit, all, {
          look,
          remove: async (pair, now, count) =>
            (await pair.other.sweep({ after: 0, before: now, limit: 1_000 })) === count,
        });
    },
  },
];
