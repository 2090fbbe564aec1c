/** The results of one target, by clause: `undefined` for a pass, or the reason why the clause was skipped. */
export interface Outcomes {
  /** The framework, and ` over HTTP/2` for that version. */
  readonly name: string;
  readonly outcomes: ReadonlyMap<string, string | undefined>;
}

/** A promise of SPEC.md and its clauses. */
export interface Promised {
  readonly rule: string;
  readonly heading: string;
  readonly cases: readonly { readonly rule: string; readonly title: string }[];
}

/** The outcomes of one framework, over each version of HTTP. */
interface Column {
  readonly name: string;
  readonly versions: readonly ReadonlyMap<string, string | undefined>[];
}

const NUMBERS = "In numbers";
const OVER_2 = " over HTTP/2";

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

/** Puts the versions of one framework beside each other. */
function columnsOf(targets: readonly Outcomes[]): Column[] {
  return targets
    .filter(({ name }) => !name.endsWith(OVER_2))
    .map(({ name }) => ({
      name,
      versions: targets
        .filter((it) => it.name === name || it.name === name + OVER_2)
        .map(({ outcomes }) => outcomes),
    }));
}

/** Writes the page's tables: the numbers, one section for each promise, and the reasons. */
export function tableOf(promises: readonly Promised[], targets: readonly Outcomes[]): string {
  const columns = columnsOf(targets);
  const numbers = columns.map(({ name, versions }) => {
    const all = versions.flatMap((outcomes) => [...outcomes.values()]);
    const passed = all.filter((reason) => reason === undefined).length;
    return [name, versions.length > 1 ? "1.1, 2" : "1.1", `${passed} of ${all.length}`];
  });
  const notes = footnotes();
  const cell = (rule: string, { versions }: Column): string => {
    const marks = versions
      .map((outcomes) => outcomes.get(rule))
      .map((reason) => (reason === undefined ? "✓" : notes.mark(reason)));
    return [...new Set(marks)].join(" ");
  };
  const names = columns.map(({ name }) => name);
  const sections = promises.map(({ rule, heading, cases }) =>
    section(
      `${rule} ${heading}`,
      names,
      cases.map((one) => [`${one.rule} ${one.title}`, ...columns.map((column) => cell(one.rule, column))]),
    ),
  );
  const reasons = notes.lines.length > 0 ? ["## Left out", "", ...notes.lines, ""].join("\n") : [];
  return [section(NUMBERS, ["HTTP", "clauses that pass"], numbers), ...sections, reasons].flat().join("\n");
}

/** Reads the names of the frameworks from the page. */
export function namesOf(table: string): string[] {
  const [, numbers = ""] = table.split(`## ${NUMBERS}\n\n`);
  const rows = (numbers.split("\n\n")[0] ?? "").split("\n").slice(2);
  return rows.map((line) => line.split("|")[1]?.trim() ?? "");
}

/** Splits the title of a test that the kit made. The reason is that of a skipped one. */
export function readTitle(name: string): { readonly rule: string; readonly reason: string | undefined } {
  const [, rule = "", reason] = /^(\S+) .*?(?: \(skipped: (.*)\))?$/.exec(name) ?? [];
  return { rule, reason };
}
