import { inspect } from "node:util";
import { type Target, type TestFunction, testAdapter } from "@sessions/adapter-conformance";
import { abilities } from "../applications.ts";

/** The outcome of a case. Without an error it passed. */
export interface Outcome {
  readonly title: string;
  readonly error?: string | undefined;
}

/** Runs the case of a title, and resolves with its outcome. */
export type Run = (title: string) => Promise<Outcome>;

/** Runs cases one by one, on requests from outside of the runtime. */
export function byTitle(target: Omit<Target, "name" | "abilities">): Run {
  const cases = new Map<string, () => Promise<void>>();
  const test: TestFunction = Object.assign(
    (title: string, run: () => Promise<void>) => {
      cases.set(title, run);
    },
    { skip: () => undefined },
  );
  testAdapter({ test, target: { name: "in this runtime", abilities, ...target } });
  return async (title) => {
    try {
      const run = cases.get(title);
      if (!run) throw new Error(`There is no case "${title}"`);
      await run();
      return { title };
    } catch (error) {
      return { title, error: inspect(error) };
    }
  };
}
