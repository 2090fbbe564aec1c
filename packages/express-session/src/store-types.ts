import type { EventEmitter } from "node:events";
import type { Done, OldStore, StoredSession } from "@sessions/adopting";
import type { Duration } from "@sessions/core";
import type { PrincipalOf } from "@sessions/whole-sessions";

/** A class such as `session.Store` of express-session. */
export type StoreClass<S extends EventEmitter> = abstract new () => S;

/** Options of {@link expressSessionStore}. */
export interface ExpressSessionStoreOptions<S extends EventEmitter = EventEmitter> {
  /**
   * `session.Store` of express-session; the new store is an instance of it. `@fastify/session` needs none.
   * @default the one of the package `express-session`, if it is installed
   */
  readonly Store?: StoreClass<S> | undefined;
  /**
   * How long a session lives after its last use if its cookie ends with the browser (no `maxAge`, no `expires`).
   * @default "24h"
   */
  readonly idle?: Duration | undefined;
  /**
   * `"auto"`: the first call that finds a table or the like missing waits for `driver.setup()`. `"manual"`: that call
   * fails with `SessionSetupError`; choose it for an application without the permission to create tables.
   * @default "auto"
   */
  readonly setup?: "auto" | "manual" | undefined;
  /**
   * Whose a session is: a text or a number; anything else is nobody. It is stored in the same commit as the data.
   * @default (data) => data.passport?.user
   */
  readonly principal?: PrincipalOf | undefined;
  /**
   * The store that express-session had. A session that the driver does not have is moved from there when its visitor
   * comes: once, also with several processes.
   * @default none
   */
  readonly adopt?: OldStore | undefined;
}

/** The methods that express-session and `@fastify/session` call. Every error goes to the callback. */
export interface ExpressSessionStore {
  /** Reads the session of that id. Passes `null` if there is none, or if it has expired. `T` is not checked. */
  get<T extends StoredSession>(sid: string, callback: (error: unknown, session?: T | null) => void): void;
  /** Writes the keys that changed since the session was read. Writes nothing if the session has ended since. */
  set(sid: string, session: object, callback?: Done): void;
  /** Moves the expiry, and writes the cookie's settings if they changed. */
  touch(sid: string, session: object, callback?: Done): void;
  /** Ends the session of that id. */
  destroy(sid: string, callback?: Done): void;
  /** Reads every live session, without ids: only hashes of ids are stored. Needs a driver that can list. */
  all(callback: (error: unknown, sessions?: StoredSession[]) => void): void;
  /** Counts the live sessions. Needs a driver that can list. */
  length(callback: (error: unknown, length?: number) => void): void;
  /** Ends every session. Needs a driver that can list. */
  clear(callback?: Done): void;
  /**
   * Ends all sessions of a principal, a text or a number. Returns how many that were in the driver. Needs a driver that
   * can list.
   *
   * @throws TypeError for what is no principal.
   * @throws SessionError `ERR_SESSION_UNSUPPORTED`: the driver cannot list.
   * @example
   * import { memoryDriver } from "@sessions/core/memory";
   * import { expressSessionStore } from "@sessions/express-session";
   *
   * const store = expressSessionStore(memoryDriver(), { principal: (data) => data["userId"] });
   * export const logOutEverywhere = (userId: string): Promise<number> => store.destroyAll(userId);
   */
  destroyAll(principal: string | number): Promise<number>;
  /** The same with a callback. */
  destroyAll(principal: string | number, callback: (error: unknown, count?: number) => void): void;
  /** Returns whether there is a live session of that id. */
  exists(sid: string): Promise<boolean>;
  /** The same with a callback. */
  exists(sid: string, callback: (error: unknown, exists?: boolean) => void): void;
}
