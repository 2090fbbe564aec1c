import type { Session } from "@sessions/core";
import { type Means, USER } from "./peer.ts";

/** The part of our `Session` that the kit's handlers use, over another library's means. */
export interface SeenSession {
  readonly id: string;
  readonly isNew: boolean;
  readonly principal: string | undefined;
  store(name: string): {
    get(key: string): unknown;
    set(key: string, value: unknown): void;
    update(key: string, change: (before?: unknown) => unknown): void;
  };
  login(user: string): void;
  rotate(): void;
  logout(): Promise<void>;
  commit(): Promise<object>;
  /** All values. */
  all(): Readonly<Record<string, unknown>>;
  /** Waits for what the handler would have awaited; rejects as that would have. */
  settle(): Promise<void>;
  /** The session for the kit's types. A case that asks for more than {@link SeenSession} fails. */
  readonly asSession: Session;
}

/** Says that a case asks for what the library has no means for. */
export type Lacks = (what: string) => never;

/**
 * Our handlers call `login()` without `await`. For a library whose login is asynchronous, what follows it waits in a
 * queue, and the server replies after the queue: as a handler that awaits each step.
 */
export function seenSession(means: Means, lacks: Lacks): SeenSession {
  const values = means.read();
  const isNew = Object.keys(values).length === 0;
  let queue: Promise<unknown> | undefined;
  const run = (step: () => unknown): void => {
    const next = queue ? queue.then(step) : step();
    if (!(next instanceof Promise)) return;
    queue = next;
    // settle() reports it.
    next.catch(() => undefined);
  };
  const set = (key: string, value: unknown): void => {
    values[key] = value;
    run(() => means.set(key, value));
  };
  const settle = async (): Promise<void> => {
    const waiting = queue;
    queue = undefined;
    await waiting;
  };
  const session: Omit<SeenSession, "asSession"> = {
    isNew,
    get id() {
      return means.id ?? lacks("an id of the session for the application");
    },
    get principal() {
      const user = values[USER];
      return typeof user === "string" ? user : undefined;
    },
    store: () => ({
      get: (key) => values[key],
      set,
      update(key, change) {
        values[key] = change(values[key]);
        run(() => (means.change ? means.change(key, change) : means.set(key, values[key])));
      },
    }),
    login(user) {
      values[USER] = user;
      run(() => means.login(user));
    },
    rotate() {
      const { rotate } = means;
      if (!rotate) lacks("a new cookie for the same session");
      run(rotate);
    },
    async logout() {
      for (const key of Object.keys(values)) delete values[key];
      run(() => means.logout());
      await settle();
    },
    async commit() {
      run(() => means.save?.());
      await settle();
      return {};
    },
    all: () => values,
    settle,
  };
  return Object.assign(session, { asSession: session as unknown as Session });
}
