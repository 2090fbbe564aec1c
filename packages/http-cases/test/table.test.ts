import { expect, test } from "vitest";
import { columnsOf, tableOf } from "../src/table.ts";

const groups = [
  { name: "First things", cases: [{ title: "one" }, { title: "two" }] },
  { name: "Last things", cases: [{ title: "three" }] },
];

const columns = [
  {
    name: "Plain",
    outcomes: new Map([
      ["one", undefined],
      ["two", "it cannot"],
      ["three", "it will not"],
    ]),
  },
  {
    name: "Both",
    outcomes: new Map([
      ["one", undefined],
      ["HTTP/2: one", undefined],
      ["two", undefined],
      ["HTTP/2: two", "it cannot"],
      ["three", "it cannot"],
      ["HTTP/2: three", "it cannot"],
    ]),
  },
];

test("a table has a cell for each case of each adapter, and each reason once", () => {
  expect(tableOf(groups, columns)).toBe(`## In numbers

|  | HTTP | cases that pass |
| --- | :-: | :-: |
| Plain | 1.1 | 1 of 3 |
| Both | 1.1, 2 | 3 of 6 |

## First things

|  | Plain | Both |
| --- | :-: | :-: |
| one | ✓ | ✓ |
| two | a | ✓ a |

## Last things

|  | Plain | Both |
| --- | :-: | :-: |
| three | b | a |

## Left out

- **a**: it cannot
- **b**: it will not
`);
});

test("without cases that are left out, the page ends with its last case", () => {
  const column = { name: "Plain", outcomes: new Map([["three", undefined]]) };
  expect(tableOf(groups.slice(1), [column])).toMatch(/\| three \| ✓ \|\n$/);
});

test("columnsOf reads the names of the columns, and none from an empty page", () => {
  expect(columnsOf(`# Some text\n\nand more.\n\n${tableOf(groups, columns)}`)).toEqual(["Plain", "Both"]);
  expect(columnsOf("")).toEqual([]);
});
