import { hasCode, refuseQueued } from "./errors.ts";
import type { RedisExecutor, RedisMaster, RedisTimeLimit } from "./executor.ts";

/** A page of SCAN over every master, one after the other. */
export interface ScanPage {
  readonly keys: string[];
  /** Missing at the end. */
  readonly cursor: string | undefined;
}

/** The next cursor and the keys in SCAN's reply. */
function parseScan(reply: unknown): { next: string; found: string[] } {
  const [next, found]: unknown[] = Array.isArray(reply) ? reply : [];
  return { next: String(next), found: Array.isArray(found) ? found.map(String) : [] };
}

/** Identifies a run of a server: after a restart, or on another server, its cursors mean nothing. */
async function identityOf(master: RedisMaster, limit: RedisTimeLimit): Promise<string> {
  const { address } = master;
  try {
    return `${address} ${/^run_id:(\w+)/m.exec(String(await master.send(["INFO", "server"], limit)))?.[1]}`;
  } catch (error) {
    if (hasCode(error, "NOPERM")) return address;
    throw error;
  }
}

/**
 * Reads one page. A cursor is valid only for the server that gave it. Where the masters have changed since, the scan
 * begins again from the start: a key may come twice, and none is missed.
 */
export async function scanPage(
  executor: RedisExecutor,
  limit: RedisTimeLimit,
  pattern: string,
  count: number,
  cursor?: string,
): Promise<ScanPage> {
  const masters = await executor.masters();
  const identities = (await Promise.all(masters.map((master) => identityOf(master, limit)))).join(" ");
  const [before, at, inner = "0"] = cursor?.split("|") ?? [];
  const goesOn = before === identities;
  const index = goesOn ? Number(at) : 0;
  const command = ["SCAN", goesOn ? inner : "0", "MATCH", pattern, "COUNT", `${count}`];
  const reply = await masters[index]?.send(command, limit);
  const { next, found } = parseScan(refuseQueued(reply));
  const nextIndex = next === "0" ? index + 1 : index;
  return {
    keys: found,
    cursor: nextIndex < masters.length ? `${identities}|${nextIndex}|${next}` : undefined,
  };
}
