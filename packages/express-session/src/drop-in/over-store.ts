import type { Settings } from "./options.ts";
import { call, readFrom } from "./session.ts";
import type { BaseStore } from "./stores.ts";
import type { Keeper, Visit } from "./visit.ts";

/** Keeps whole sessions in a store of express-session, as express-session does: without any promise. */
export function overStore(settings: Settings, store: BaseStore): (visit: Visit) => Keeper {
  const { resave, saveUninitialized } = settings;
  return () => {
    let sid = "";
    /** The cookie that came names this session. */
    let isKnown = false;
    /** The JSON of the session's data when it was last read or saved. */
    let saved: string | undefined;

    return {
      async open(id) {
        const found = await readFrom(store, id);
        if (!found) return undefined;
        sid = id;
        isKnown = true;
        const { cookie: _, ...data } = found;
        saved = resave ? undefined : JSON.stringify(data);
        return found;
      },

      begin(id) {
        sid = id;
        isKnown = false;
        saved = undefined;
        return id;
      },

      async write({ session, seals, isExplicit, isModified }) {
        const { cookie: _, ...data } = session;
        const text = JSON.stringify(data);
        const isSaved = saved === text;
        const saves =
          isExplicit || (isKnown || saveUninitialized || saved !== undefined ? !isSaved : isModified);
        if (saves) {
          await call((done) => store.set(sid, session, done));
          saved = text;
        } else if (isKnown && seals && typeof store.touch === "function")
          await call((done) => store.touch?.(sid, session, done));
        const isStored = isKnown || saved !== undefined;
        return { sid, isStored, more: isStored };
      },

      async end() {
        await call((done) => store.destroy(sid, done));
      },

      controls: undefined,

      get core(): never {
        throw new TypeError("sessionOf(req) needs session({ driver }): a store keeps no session of core");
      },
    };
  };
}
