import { expect, test } from "vitest";
import { testHttpCases } from "../src/index.ts";
import { readLeftOut } from "../src/titles.ts";

const TITLE = "a first write: one create, and one cookie";

/** The titles of the tests that `testHttpCases` makes: those that run, and those that are skipped. */
function named(exclude: { title: string; reason: string }[]): { run: string[]; skipped: string[] } {
  const run: string[] = [];
  const skipped: string[] = [];
  const start = async (): Promise<never> => expect.unreachable();
  testHttpCases({
    test: Object.assign((title: string) => run.push(title), { skip: (title: string) => skipped.push(title) }),
    start,
    http2: start,
    listens: true,
    exclude,
  });
  return { run, skipped };
}

test("every case is a test over each version of HTTP, and all titles are different", () => {
  const { run, skipped } = named([]);
  expect(skipped).toEqual([]);
  expect(run).toContain(TITLE);
  expect(run).toContain(`HTTP/2: ${TITLE}`);
  expect(new Set(run).size).toBe(run.length);
});

test("a case that is left out is skipped over both, with its reason", () => {
  const { run, skipped } = named([{ title: TITLE, reason: "it cannot (yet)" }]);
  expect(skipped).toEqual([`${TITLE} (it cannot (yet))`, `HTTP/2: ${TITLE} (it cannot (yet))`]);
  expect(skipped.map(readLeftOut)[0]).toEqual({ title: TITLE, reason: "it cannot (yet)" });
  expect(run).not.toContain(TITLE);
});

test("a case that is left out over HTTP/2 alone is skipped there", () => {
  const { run, skipped } = named([{ title: `HTTP/2: ${TITLE}`, reason: "it cannot" }]);
  expect(skipped).toEqual([`HTTP/2: ${TITLE} (it cannot)`]);
  expect(run).toContain(TITLE);
});

test("excluding an unknown case is an error that names it", () => {
  expect(() => named([{ title: "no such case", reason: "it cannot" }])).toThrow('no case "no such case"');
});
