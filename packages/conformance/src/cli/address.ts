import manifest from "../../package.json" with { type: "json" };
import type { Rule } from "../target.ts";
import { headingOf, ruleOf } from "./summary.ts";

/** Where the kit's README is. */
export const readme: string = manifest.homepage;

/** Where SPEC.md is. A reader of the report has the kit, and not its repository. */
export const spec: string = `${manifest.repository.url.replace(/^git\+/, "").replace(/\.git$/, "")}/blob/main/SPEC.md`;

/** The address of a rule's heading in SPEC.md. */
export function addressOf(clause: Rule): string {
  const rule = ruleOf(clause);
  const anchor = `${rule} ${headingOf(rule)}`
    .toLowerCase()
    .replace(/[^a-z0-9 -]/g, "")
    .replaceAll(" ", "-");
  return `${spec}#${anchor}`;
}
