import { getFrom, type OldStore } from "@sessions/adopting";
import { encodeSession } from "./layout.ts";

/** Reads a session that a driver takes over: its data, and the record. `undefined` if it is not live. */
export async function readOld(
  store: OldStore,
  sid: string,
  idle: number,
): Promise<
  { session: object; record: { fields: ReadonlyMap<string, string>; expiresAt: number } } | undefined
> {
  const session = await getFrom(store, sid);
  if (!session) return undefined;
  const now = Date.now();
  // Stores return a plain object, or an instance of a class with the same keys.
  const { fields, expiresAt = now + idle } = encodeSession({ ...session });
  return expiresAt > now ? { session, record: { fields, expiresAt } } : undefined;
}
