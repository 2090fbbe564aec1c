import { fromCallback, type OldStore } from "@sessions/adopting";
import { type NamedSession, type NamedSessions, NameTakenError } from "@sessions/core/adapter-tools";
import type { Marks } from "../adoption.ts";
import { recordId } from "../layout.ts";
import { readOld } from "../read-old.ts";
import { newId } from "./options.ts";

/** The sessions of the store that a site had before. */
export interface Takeover {
  /** Takes a session over, under its id. Of several requests, also in several processes, one does. */
  takeOver(sid: string, newSid: () => string): Promise<NamedSession | "ended" | undefined>;
  /** Ends a session in both places. */
  end(session: NamedSession, successor: string | undefined): Promise<void>;
}

export function createTakeover(
  from: OldStore,
  named: NamedSessions,
  { isBarred, isMarked }: Marks,
  idle: number,
  principalOf: (session: object) => string | undefined,
): Takeover {
  return {
    async takeOver(sid, newSid) {
      const found = await readOld(from, sid, idle);
      // Another process may have taken it over since the driver was asked.
      if (!found) return named.open(sid, newSid);
      const id = recordId(sid);
      const principal = principalOf(found.session);
      const endOld = (): Promise<void> => fromCallback((done) => from.destroy(sid, done));
      if ((await isMarked(id)) || (await isBarred(principal))) {
        await endOld();
        return named.open(sid, newSid);
      }
      const one = named.create(sid, newSid);
      one.stage({ ...found.record, principal });
      let isOurs = true;
      try {
        await one.session.commit();
      } catch (error) {
        if (!(error instanceof NameTakenError)) throw error;
        isOurs = false;
      }
      await endOld();
      const taken = await named.open(sid, newSid);
      if (!taken || taken === "ended") return taken;
      // What ends sessions marks them first. It either finds this one, or its mark is found here.
      if (!(isOurs && (await isMarked(id))) && !(await isBarred(principal))) return taken;
      await taken.end();
      return undefined;
    },

    async end(one, successor) {
      const { name } = one;
      // An emptied record stays for a while, so that nothing is taken over that an old process still writes.
      await one.end(successor ?? newId());
      await fromCallback((done) => from.destroy(name, done));
    },
  };
}
