import { test as nodeTest } from "node:test";
import type { Driver } from "@sessions/core";
import { memoryDriver } from "@sessions/core/memory";
import { expectTypeOf, test } from "vitest";
import type { Report, Rule, Target, TestFunction } from "../src/index.ts";
import { runConformance, testDriver } from "../src/index.ts";

test("vitest's and node:test's own test functions fit", () => {
  expectTypeOf(test).toExtend<TestFunction>();
  expectTypeOf(nodeTest).toExtend<TestFunction>();
  // @ts-expect-error a function without skip is no test function
  const bare: TestFunction = (_title: string, _fn: () => Promise<void>) => {};
  void bare;
});

test("the smallest legal target, and broken ones", () => {
  const smallest: Target = { name: "memory", open: () => memoryDriver() };
  const later: Target = { name: "memory", open: async (_namespace: string) => memoryDriver() };
  // @ts-expect-error a target has a name
  const nameless: Target = { open: () => memoryDriver() };
  // @ts-expect-error open answers a driver
  const empty: Target = { name: "memory", open: () => undefined };
  // @ts-expect-error an exclusion has a reason
  const silent: Target = { ...smallest, exclude: [{ rule: "R4" }] };
  // @ts-expect-error a rule begins with R
  const unruly: Target = { ...smallest, exclude: [{ rule: "4", reason: "why not" }] };
  // @ts-expect-error what is cut must be restored
  const cut: Target = { ...smallest, outage: { cut: async () => {} } };
  // @ts-expect-error no such property
  const misspelt: Target = { ...smallest, outtage: undefined };
  void [later, nameless, empty, silent, unruly, cut, misspelt];
});

test("the pinned signatures", () => {
  expectTypeOf<[{ test: TestFunction; target: Target }]>().toExtend<Parameters<typeof testDriver>>();
  expectTypeOf(testDriver).returns.toEqualTypeOf<void>();
  expectTypeOf(runConformance).toExtend<(target: Target) => Promise<Report>>();
  expectTypeOf<Target["open"]>().toEqualTypeOf<
    (namespace: string, about?: { readonly outage: boolean }) => Driver | Promise<Driver>
  >();
  expectTypeOf<"R4">().toExtend<Rule>();
  expectTypeOf<"R4.2">().toExtend<Rule>();
  expectTypeOf<Report["results"][number]>().toEqualTypeOf<{
    rule: Rule;
    title: string;
    status: "passed" | "failed" | "skipped";
    error?: unknown;
    step?: string;
    before?: { call: string; error: unknown };
  }>();
});
