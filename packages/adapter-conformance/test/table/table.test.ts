import { expect, test } from "vitest";
import { namesOf, type Outcomes, readTitle, tableOf } from "./table.ts";

const promises = [
  {
    rule: "H1",
    heading: "First things",
    cases: [
      { rule: "H1.1", title: "one" },
      { rule: "H1.2", title: "two" },
    ],
  },
  { rule: "H2", heading: "Last things", cases: [{ rule: "H2.1", title: "three" }] },
];

const target = (name: string, two?: string, three?: string): Outcomes => ({
  name,
  outcomes: new Map([
    ["H1.1", undefined],
    ["H1.2", two],
    ["H2.1", three],
  ]),
});

const targets = [
  target("Plain", "it cannot", "it will not"),
  target("Both", undefined, "it cannot"),
  target("Both over HTTP/2", "it cannot", "it cannot"),
];

test("a table has a cell for each clause of each framework, and each reason once", () => {
  expect(tableOf(promises, targets)).toBe(`## In numbers

|  | HTTP | clauses that pass |
| --- | :-: | :-: |
| Plain | 1.1 | 1 of 3 |
| Both | 1.1, 2 | 3 of 6 |

## H1 First things

|  | Plain | Both |
| --- | :-: | :-: |
| H1.1 one | ✓ | ✓ |
| H1.2 two | a | ✓ a |

## H2 Last things

|  | Plain | Both |
| --- | :-: | :-: |
| H2.1 three | b | a |

## Left out

- **a**: it cannot
- **b**: it will not
`);
});

test("without clauses that are left out, the page ends with its last clause", () => {
  expect(tableOf(promises, [target("Plain")])).toMatch(/\| H2.1 three \| ✓ \|\n$/);
});

test("namesOf reads the names of the frameworks, and none from an empty page", () => {
  expect(namesOf(`# Some text\n\nand more.\n\n${tableOf(promises, targets)}`)).toEqual(["Plain", "Both"]);
  expect(namesOf("")).toEqual([]);
});

test("a title holds its clause, and the reason why it was skipped", () => {
  expect(readTitle("H1.2 login() (and more) ends well")).toEqual({ rule: "H1.2", reason: undefined });
  expect(readTitle("H1.2 a login() ends well (skipped: it cannot (yet))")).toEqual({
    rule: "H1.2",
    reason: "it cannot (yet)",
  });
});
