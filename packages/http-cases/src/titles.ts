/** How the test of a case over HTTP/2 is called. */
export const over2 = (title: string): string => `HTTP/2: ${title}`;

/** How the test of a case that is left out is called. */
export const leftOut = (title: string, reason: string): string => `${title} (${reason})`;

/** The case and the reason in the name of a test that is left out; any other name has no reason. */
export function readLeftOut(name: string): { readonly title: string; readonly reason: string | undefined } {
  const [, title = name, reason] = /^(.*?) \((.*)\)$/.exec(name) ?? [];
  return { title, reason };
}
