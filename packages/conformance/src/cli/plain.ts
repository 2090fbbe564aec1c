import { inspect, stripVTControlCharacters } from "node:util";

/** What a terminal would act on instead of showing it, a change of writing direction included. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const escaped = (character: string): string =>
  `\\u{${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}}`;

/** One line that is safe to print: somebody else wrote the text. */
export function plain(text: string): string {
  return stripVTControlCharacters(text).replace(/\s+/g, " ").trim().replace(UNSEEN, escaped);
}

/** The same for text of several lines, of which the most that help are kept, each cut. */
export function plainLines(text: string, most = 12): string[] {
  const lines = stripVTControlCharacters(text)
    .split(/\r\n|\r|\n/)
    .map((line) => cut(line.replaceAll("\t", "  ").trimEnd().replace(UNSEEN, escaped), 300));
  while (lines.at(-1) === "") lines.pop();
  if (lines.length <= most) return lines;
  return [...lines.slice(0, most), `... ${lines.length - most} more lines`];
}

/** At most so many characters. */
export function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, Math.max(0, most - 3))}...` : text;
}

/** Lines of at most so many characters, where the words allow it, each indented. */
export function wrap(text: string, width: number, indent: string): string {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(" ")) {
    if (line !== indent && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent;
    }
    line += line === indent ? word : ` ${word}`;
  }
  return [...lines, line].join("\n");
}

/** Text that Markdown shows as it is, in one line, also in a table's cell. */
export function markdownText(text: string): string {
  return plain(text).replace(/[\\`*_[\]<>|&~$@!]/g, "\\$&");
}

/** What an error says, for whatever was thrown. */
export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  return typeof error === "string" ? error : inspect(error);
}

/** The class of what was thrown. */
export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "NonError";
}
