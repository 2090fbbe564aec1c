import type { Case } from "../kit.ts";
import { betweenCases } from "./between.ts";
import { burstCases } from "./bursts.ts";
import { commitCases } from "./commit.ts";
import { commitRaceCases } from "./commit-races.ts";
import { compareCases } from "./compare.ts";
import { contentCases } from "./content.ts";
import { createCases } from "./create.ts";
import { destroyCases } from "./destroy.ts";
import { durabilityCases } from "./durability.ts";
import { goneCases } from "./gone.ts";
import { historyCases } from "./histories.ts";
import { isolationCases } from "./isolation.ts";
import { listCases } from "./list.ts";
import { listRaceCases } from "./list-races.ts";
import { loadCases } from "./load.ts";
import { lostAnswerCases } from "./lost-answers.ts";
import { outageCases } from "./outage.ts";
import { setupCases } from "./setup.ts";
import { storyCases } from "./stories.ts";
import { sweepCases } from "./sweep.ts";
import { versionCases } from "./version.ts";

/** Every case. Isolation comes first: if namespaces share records, no other result means anything. */
export const cases: readonly Case[] = [
  ...isolationCases,
  ...createCases,
  ...loadCases,
  ...commitCases,
  ...commitRaceCases,
  ...goneCases,
  ...compareCases,
  ...versionCases,
  ...destroyCases,
  ...sweepCases,
  ...contentCases,
  ...durabilityCases,
  ...betweenCases,
  ...burstCases,
  ...outageCases,
  ...lostAnswerCases,
  ...setupCases,
  ...listCases,
  ...listRaceCases,
  ...storyCases,
  ...historyCases,
];
