import type { Connection, Limits, Master } from "./connection.ts";

/** A page of SCAN over every master, one after the other. */
export interface ScanPage {
  readonly keys: string[];
  /** Missing at the end. */
  readonly cursor: string | undefined;
}

/** What SCAN answers: where to go on, and what was found. */
function parseScan(answer: unknown): { next: string; found: string[] } {
  const [next, found]: unknown[] = Array.isArray(answer) ? answer : [];
  return { next: String(next), found: Array.isArray(found) ? found.map(String) : [] };
}

/** Which server this is: another one, or the same one started anew, knows nothing of the cursors that it gave. */
async function identityOf({ address, send }: Master, limits: Limits): Promise<string> {
  try {
    return `${address} ${/^run_id:(\w+)/m.exec(String(await send(["INFO", "server"], limits)))?.[1]}`;
  } catch (error) {
    if (error instanceof Error && error.message.startsWith("NOPERM")) return address;
    throw error;
  }
}

/**
 * One page. A cursor means something to the server that gave it and to no other; so where the masters are others than
 * before, it all begins anew: a key may come twice, and none is passed over.
 */
export async function scanPage(
  connection: Connection,
  limits: Limits,
  pattern: string,
  count: number,
  cursor?: string,
): Promise<ScanPage> {
  const masters = await connection.masters();
  const identities = (await Promise.all(masters.map((master) => identityOf(master, limits)))).join(" ");
  const [before, at, inner = "0"] = cursor?.split("|") ?? [];
  const goesOn = before === identities;
  const index = goesOn ? Number(at) : 0;
  const command = ["SCAN", goesOn ? inner : "0", "MATCH", pattern, "COUNT", `${count}`];
  const answer = await masters[index]?.send(command, limits);
  const { next, found } = parseScan(answer);
  const nextIndex = next === "0" ? index + 1 : index;
  return {
    keys: found,
    cursor: nextIndex < masters.length ? `${identities}|${nextIndex}|${next}` : undefined,
  };
}
