import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { Result } from "@sessions/conformance";
import { describe, expect, test } from "vitest";

/** Runs the kit in Bun. The environment has nothing of this runner. */
async function runInBun(): Promise<{ results: Result[]; settings: unknown[]; closed: unknown }> {
  const bun = fileURLToPath(new URL("../node_modules/.bin/bun", import.meta.url));
  const program = fileURLToPath(new URL("bun/kit.ts", import.meta.url));
  const { PATH, HOME } = process.env;
  const child = spawn(bun, ["--conditions=@sessions/source", program], { env: { PATH, HOME } });
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  const line = output.split("\n").findLast((it) => it.startsWith("{"));
  if (line === undefined) throw new Error(`Bun printed no results: ${output}${errors}`);
  return JSON.parse(line);
}

const { results, settings, closed } = await runInBun();

describe("sqlite: bun:sqlite", () => {
  for (const { rule, title, status, error } of results)
    test.skipIf(status === "skipped")(`${rule} ${title}`, () => {
      if (status === "failed") throw new Error(`In Bun: ${String(error)}`);
    });
});

test("safeIntegers and strict make no difference", () => {
  expect(settings).toEqual([[], null, "committed", 8_640_000_000_000_000]);
});

test("a closed handle is an error that says so", () => {
  expect(closed).toMatch(/sqlite: the handle is closed/);
});
