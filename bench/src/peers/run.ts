import process from "node:process";
import { type Case, cases, missingIn, runCase } from "./kit.ts";
import type { Peer } from "./peer.ts";
import { peerTarget } from "./target.ts";

/** What a case has shown of a library. */
export interface Finding {
  readonly rule: string;
  readonly title: string;
  readonly status: "kept" | "broken" | "apart";
  /** Why it does not apply. */
  readonly reason?: string;
  /** What the case has seen. */
  readonly error?: Error;
  /** Whether an error was nobody's to handle, which ends a process of Node. */
  readonly isStray?: boolean;
}

let strays = 0;
for (const event of ["unhandledRejection", "uncaughtException"]) process.on(event, () => strays++);

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

export async function runPeer(
  peer: Peer,
  progress: (finding: Finding) => void,
  only?: (one: Case) => boolean,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const { target, manage, lacking } = peerTarget(peer);
  for (const one of cases.filter(only ?? (() => true))) {
    const { rule, title } = one;
    lacking.clear();
    strays = 0;
    const apart = peer.apart.find((it) => it.rule === rule || it.rule === rule.split(".")[0]);
    const missing = missingIn(target, one.needs)?.replace(/^.*?": (?:a |the )?/, "there is no ");
    const reason = apart?.reason ?? missing;
    let found: Finding;
    if (reason !== undefined) found = { rule, title, status: "apart", reason };
    else
      try {
        await runCase(target, one, manage);
        found = { rule, title, status: "kept" };
      } catch (error) {
        const lack = [...lacking].join(" and ");
        found = lack
          ? { rule, title, status: "apart", reason: `it has no means for ${lack}` }
          : { rule, title, status: "broken", error: asError(error) };
      }
    // Node tells of it after the microtasks.
    await new Promise((resolve) => setImmediate(resolve));
    if (strays > 0) found = { ...found, isStray: true };
    findings.push(found);
    progress(found);
  }
  return findings;
}
