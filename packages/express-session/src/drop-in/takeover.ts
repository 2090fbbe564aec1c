import { type NamedSession, type NamedSessions, NameTakenError } from "@sessions/core/adapter-tools";
import { encodeSession, type StoredSession } from "../layout.ts";
import { newId, type StoreForExpress } from "./options.ts";
import { call, readFrom } from "./session.ts";

/** The sessions of the store that a site had before. */
export interface Takeover {
  /** Takes a session over, under its id. Of several requests, also in several processes, one does. */
  takeOver(sid: string, newSid: () => string): Promise<NamedSession | "ended" | undefined>;
  /** Ends a session in both places. */
  end(session: NamedSession, successor: string | undefined): Promise<void>;
}

export function createTakeover(
  from: StoreForExpress,
  named: NamedSessions,
  idle: number,
  principalOf: (session: object) => string | undefined,
): Takeover {
  /** Returns the fields of a session that is live. */
  function read(
    found: StoredSession,
  ): { fields: ReadonlyMap<string, string>; expiresAt: number } | undefined {
    const { fields, expiresAt = Date.now() + idle } = encodeSession({ ...found });
    return expiresAt > Date.now() ? { fields, expiresAt } : undefined;
  }

  return {
    async takeOver(sid, newSid) {
      const found = await readFrom(from, sid);
      const stored = found && read(found);
      if (!stored) return undefined;
      const one = named.create(sid, newSid);
      one.stage({ ...stored, principal: principalOf(found) });
      try {
        await one.session.commit();
      } catch (error) {
        if (!(error instanceof NameTakenError)) throw error;
      }
      await call((done) => from.destroy(sid, done));
      return named.open(sid, newSid);
    },

    async end(one, successor) {
      const { name } = one;
      // An emptied record stays for a while, so that nothing is taken over that an old process still writes.
      await one.end(successor ?? newId());
      await call((done) => from.destroy(name, done));
    },
  };
}
