import { inspect, stripVTControlCharacters } from "node:util";

/** Characters that a terminal acts on instead of showing them, such as a change of writing direction. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

const escaped = (character: string): string =>
  `\\u{${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}}`;

/** Text of unknown origin as one line that is safe to print. */
export function plain(text: string): string {
  return stripVTControlCharacters(text).replace(/\s+/g, " ").trim().replace(UNSEEN, escaped);
}

/** The same for several lines: at most `most` of them, each cut. */
export function plainLines(text: string, most = 12): string[] {
  const lines = stripVTControlCharacters(text)
    .split(/\r\n|\r|\n/)
    .map((line) => cut(line.replaceAll("\t", "  ").trimEnd().replace(UNSEEN, escaped), 300));
  while (lines.at(-1) === "") lines.pop();
  if (lines.length <= most) return lines;
  return [...lines.slice(0, most), `... ${lines.length - most} more lines`];
}

/** Shortens text to `most` characters. */
export function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, Math.max(0, most - 3))}...` : text;
}

/** Wraps text into indented lines of `width` characters. A longer word stays whole. */
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

/** Escapes text for Markdown, as one line, also for a cell of a table. */
export function markdownText(text: string): string {
  return plain(text).replace(/[\\`*_[\]<>|&~$@!]/g, "\\$&");
}

/** The message of any thrown value. */
export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message;
  return typeof error === "string" ? error : inspect(error);
}

/** The class name of any thrown value. */
export function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "NonError";
}
