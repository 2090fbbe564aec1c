import { inspect } from "node:util";
import { type HttpCases, type TestFunction, testHttpCases } from "@sessions/http-cases";

/** The outcome of a case. Without an error it passed. */
export interface Outcome {
  readonly title: string;
  readonly error?: string | undefined;
}

/** Runs the case of a title, and resolves with its outcome. */
export type Run = (title: string) => Promise<Outcome>;

/** Runs cases one by one, on requests from outside of the runtime. */
export function byTitle(options: Omit<HttpCases, "test">): Run {
  const cases = new Map<string, () => Promise<void>>();
  const test: TestFunction = Object.assign(
    (title: string, run: () => Promise<void>) => {
      cases.set(title, run);
    },
    { skip: () => undefined },
  );
  testHttpCases({ test, ...options });
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
