import type { Session as ManagedSession, Store } from "@sessions/core";
import type { Session } from "react-router";

/** The managed session of each session that a storage of this package returned. */
const managed = new WeakMap<object, ManagedSession>();

/** The sessions that a handler has read or written. */
const used = new WeakSet<ManagedSession>();

/** Returns whether a handler has read or written the session. */
export const wasUsed = (session: ManagedSession): boolean => used.has(session);

/** The two stores of a storage: the data, and the messages that are read once. */
export interface Stores {
  readonly data: Store<Record<string, unknown>>;
  readonly flash: Store<Record<string, unknown>>;
}

export const storesOf = (session: ManagedSession, name: string): Stores => ({
  data: session.store(name),
  flash: session.store(`${name}.flash`),
});

/** A key without a value is as good as none, and JSON keeps neither. */
function put(store: Stores["data"], name: string, value: unknown): void {
  if (value === undefined) store.delete(name);
  else store.set(name, value);
}

/** A session as React Router's handlers know it. Its changes are staged in the managed session. */
export function wrapSession<Data, FlashData>(
  session: ManagedSession,
  stores: Stores,
): Session<Data, FlashData> {
  function use(): Stores {
    used.add(session);
    return stores;
  }
  const wrapped = {
    get id(): string {
      return session.isNew ? "" : session.id;
    },
    get data(): object {
      const { data, flash } = use();
      const messages = [...flash].map(([name, value]) => [`__flash_${name}__`, value]);
      return { ...Object.fromEntries(data), ...Object.fromEntries(messages) };
    },
    has(name: string): boolean {
      const { data, flash } = use();
      return data.has(name) || flash.has(name);
    },
    get(name: string): unknown {
      const { data, flash } = use();
      return data.has(name) ? data.get(name) : flash.take(name);
    },
    set(name: string, value: unknown): void {
      put(use().data, name, value);
    },
    flash(name: string, value: unknown): void {
      put(use().flash, name, value);
    },
    unset(name: string): void {
      use().data.delete(name);
    },
  };
  managed.set(wrapped, session);
  // The types of the values are the application's claim, as with React Router's own storages.
  return wrapped as Session<Data, FlashData>;
}

/**
 * Returns the session of `@sessions/core` behind a session of React Router, for what React Router's has not: the
 * principal, `login()`, `rotate()`, other stores. It has the same commit.
 *
 * @throws TypeError The session is not from a storage of this package.
 * @example
 * import { sessionOf } from "@sessions/react-router";
 * import type { Session } from "react-router";
 *
 * export const userOf = (session: Session): string | undefined => sessionOf(session).principal;
 */
export function sessionOf<Data, FlashData>(session: Session<Data, FlashData>): ManagedSession {
  const found = managed.get(session);
  if (!found)
    throw new TypeError(
      "The session is not from createSessionStorage() of @sessions/react-router. Get it by getSession() or from the context",
    );
  return found;
}
