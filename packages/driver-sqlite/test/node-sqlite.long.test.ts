import { describe, expect, test } from "vitest";
import { newer, start } from "./programs.ts";

interface Result {
  readonly suite: string;
  readonly title: string;
  readonly status: "passed" | "failed" | "skipped";
  readonly error?: string;
}

const isResults = (value: unknown): value is Result[] =>
  Array.isArray(value) && value.every(({ suite, title, status }) => suite && title && status);

// This Node may be too old for node:sqlite: then a newer Node runs the kit, and this file reports its results.
const running = newer.map((runtime) => ({
  runtime,
  program: runtime.missing ? undefined : start(runtime, new URL("./programs/kit.ts", import.meta.url)),
}));
for (const { runtime, program } of running) {
  if (!program) {
    test.skip(`${runtime.name}, which has node:sqlite, is not on this machine`, () => {});
    continue;
  }
  await program.ended;
  const results: unknown = JSON.parse(program.lines.at(-1) ?? "[]");
  if (!isResults(results)) throw new TypeError("The report has another form");

  test(`${runtime.name} ran all of it`, () => {
    const counts = new Map<string, number>();
    for (const { suite, title } of results)
      if (/^R\d/.test(title)) counts.set(suite, (counts.get(suite) ?? 0) + 1);
    expect(counts.size).toBe(3);
    for (const count of counts.values()) expect(count).toBeGreaterThanOrEqual(100);
  });
  for (const suite of new Set(results.map((result) => result.suite)))
    describe(`sqlite: ${suite}, ${runtime.name}`, () => {
      for (const { title, status, error } of results.filter((result) => result.suite === suite))
        if (status === "skipped") test.skip(title, () => {});
        else test(title, () => expect(error).toBeUndefined());
    });
}
