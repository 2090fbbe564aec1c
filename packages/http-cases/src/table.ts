import { over2 } from "./titles.ts";

/** The results of one adapter, by title: `undefined` for a pass, or the reason why the case is left out. */
export interface Column {
  readonly name: string;
  readonly outcomes: ReadonlyMap<string, string | undefined>;
}

interface Group {
  readonly name: string;
  readonly cases: readonly { readonly title: string }[];
}

const NUMBERS = "In numbers";

const row = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;

/** One letter for each reason, in order of appearance. */
function footnotes(): { mark(text: string): string; readonly lines: string[] } {
  const known: string[] = [];
  const letter = (index: number): string => String.fromCharCode("a".charCodeAt(0) + index);
  return {
    mark(text) {
      if (!known.includes(text)) known.push(text);
      return letter(known.indexOf(text));
    },
    get lines() {
      return known.map((text, index) => `- **${letter(index)}**: ${text}`);
    },
  };
}

const section = (title: string, head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [`## ${title}`, "", row(["", ...head]), row(["---", ...head.map(() => ":-:")]), ...rows.map(row), ""].join(
    "\n",
  );

/** Writes the page's tables: the numbers, one section for each group, and the reasons. */
export function tableOf(groups: readonly Group[], columns: readonly Column[]): string {
  const numbers = columns.map(({ name, outcomes }) => {
    const http2 = [...outcomes.keys()].some((title) => title.startsWith(over2("")));
    const passed = [...outcomes.values()].filter((reason) => reason === undefined).length;
    return [name, http2 ? "1.1, 2" : "1.1", `${passed} of ${outcomes.size}`];
  });
  const notes = footnotes();
  const cell = (title: string, { outcomes }: Column): string => {
    const marks = [title, over2(title)]
      .filter((it) => outcomes.has(it))
      .map((it) => outcomes.get(it))
      .map((reason) => (reason === undefined ? "✓" : notes.mark(reason)));
    return [...new Set(marks)].join(" ");
  };
  const names = columns.map(({ name }) => name);
  const sections = groups.map(({ name, cases }) =>
    section(
      name,
      names,
      cases.map(({ title }) => [title, ...columns.map((column) => cell(title, column))]),
    ),
  );
  const reasons = notes.lines.length > 0 ? ["## Left out", "", ...notes.lines, ""].join("\n") : [];
  return [section(NUMBERS, ["HTTP", "cases that pass"], numbers), ...sections, reasons].flat().join("\n");
}

/** Reads the names of the columns from the page. */
export function columnsOf(table: string): string[] {
  const [, numbers = ""] = table.split(`## ${NUMBERS}\n\n`);
  const rows = (numbers.split("\n\n")[0] ?? "").split("\n").slice(2);
  return rows.map((line) => line.split("|")[1]?.trim() ?? "");
}
