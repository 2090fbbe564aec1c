/** The title of a case's test over HTTP/2. */
export const over2 = (title: string): string => `HTTP/2: ${title}`;

/** The title of the test of a case that is left out. */
export const leftOut = (title: string, reason: string): string => `${title} (${reason})`;

/** Splits the title of a test that is left out into title and reason. Any other title has no reason. */
export function readLeftOut(name: string): { readonly title: string; readonly reason: string | undefined } {
  const [, title = name, reason] = /^(.*?) \((.*)\)$/.exec(name) ?? [];
  return { title, reason };
}
