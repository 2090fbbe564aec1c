import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { plain } from "./plain.ts";

/** The places in an error's stack, innermost first, without Node's own. */
function places(error: unknown): string[] {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  return [...stack.matchAll(/^\s+at (?:.* \()?((?:file:\/\/|\/|[A-Za-z]:\\).+:\d+:\d+)\)?$/gm)].map(
    ([, place = ""]) => {
      const [, file = place, position = ""] = /^(.*?)(:\d+:\d+)$/.exec(place) ?? [];
      return (file.startsWith("file:") ? fileURLToPath(file) : file) + position;
    },
  );
}

/** Whether code below `kit` threw this error; its message is then enough, without a place. */
export function isOf(kit: URL, error: unknown): boolean {
  return places(error)[0]?.startsWith(fileURLToPath(kit)) === true;
}

/** Where an error began: the first place in its stack that is neither Node's nor below `kit`. */
export function placeOf(kit: URL, error: unknown, cwd: string): string | undefined {
  const place = places(error).find((one) => !one.startsWith(fileURLToPath(kit)));
  if (place === undefined) return undefined;
  const inside = relative(cwd, place);
  return plain(inside.startsWith("..") ? place : inside);
}
