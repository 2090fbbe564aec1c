import fc from "fast-check";
import type { Case, Need } from "../kit.ts";
import { steps, type Weights } from "../model/steps.ts";
import { tellStories, through } from "../model/story.ts";
import type { Rule } from "../target.ts";

function story(rule: Rule, what: string, weights: Weights, needs?: Need): Case {
  const [of = rule] = rule.split(".");
  return {
    rule,
    title: `in random stories ${what}`,
    ...(needs && { needs }),
    run: (kit) => tellStories(kit, of, steps(weights)),
  };
}

/** Random calls one after the other, compared with the simplest possible backend. */
export const storyCases: Case[] = [
  story("R1.10", "each create returns and stores what it must", { create: 12, destroy: 3 }),
  story("R2.8", "each load returns what is stored", { load: 5, wait: 1, sweep: 0 }),
  story("R3.11", "each commit merges, and leaves the rest", { commit: 12, compare: 1, wait: 1 }),
  story("R4.11", "each commit to a record that is gone writes nothing", { destroy: 4, wait: 4, compare: 4 }),
  story("R5.7", "each compare-and-set does what the version says", { compare: 12, commit: 3 }),
  story("R6.8", "each commit raises the version by what it must", { commit: 8, compare: 6, wait: 1 }),
  story("R7.8", "each destroy returns and removes what it must", { destroy: 8, wait: 4 }),
  story("R8.7", "each sweep removes and returns what it may", { sweep: 8, wait: 6 }),
  {
    rule: "R10.9",
    title: "in random stories whose calls come from several drivers, each sees what the others did",
    needs: "shared",
    async run(kit) {
      const step = fc
        .tuple(fc.nat({ max: 1 }), steps({ destroy: 4, compare: 4, load: 4, sweep: 0 }))
        .map(([which, told]) => through(which, told));
      const [second, witness, alone] = [await kit.open(), await kit.open(), await kit.open()];
      await tellStories(kit, "R10", step, { drivers: [kit.driver, second], witness, alone });
    },
  },
  story("R13.11", "each listing of a principal names its live records", { commit: 8 }, "list"),
  story("R14.7", "each call leaves the other records as they are", { create: 8 }),
];
