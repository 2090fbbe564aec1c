import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { plain } from "./plain.ts";

/** The kit's own files: `src` here, and the whole package where it is installed. */
const KIT = fileURLToPath(new URL("..", import.meta.url));

/** The places that a stack names, but for Node's own, innermost first. */
function places(error: unknown): string[] {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  return [...stack.matchAll(/^\s+at (?:.* \()?((?:file:\/\/|\/|[A-Za-z]:\\).+:\d+:\d+)\)?$/gm)].map(
    ([, place = ""]) => {
      const [, file = place, position = ""] = /^(.*?)(:\d+:\d+)$/.exec(place) ?? [];
      return (file.startsWith("file:") ? fileURLToPath(file) : file) + position;
    },
  );
}

/** Whether a case itself has thrown this: then the message says all. */
export function isKits(error: unknown): boolean {
  return places(error)[0]?.startsWith(KIT) === true;
}

/** Where an error began, as far as its stack says: the first place that is neither Node's nor the kit's. */
export function placeOf(error: unknown, cwd: string): string | undefined {
  const place = places(error).find((one) => !one.startsWith(KIT));
  if (place === undefined) return undefined;
  const inside = relative(cwd, place);
  return plain(inside.startsWith("..") ? place : inside);
}
