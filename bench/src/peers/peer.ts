import type { Driver } from "@sessions/core";
import type { Ability, Connect, Reply, Rule, Server } from "./kit.ts";
import type { SeenSession } from "./session.ts";

/** What a library's documentation says to do with the session of one request. */
export interface Means {
  /** The session's id, where the application may know it. */
  readonly id?: string | undefined;
  /** All values of the session. */
  read(): Record<string, unknown>;
  set(key: string, value: unknown): unknown;
  /** Changes a value from what is stored now, if the library can. */
  change?(key: string, change: (before?: unknown) => unknown): unknown;
  /** Logs in, with the protection against session fixation that the library has. */
  login(user: string): unknown;
  logout(): unknown;
  /** Replaces the cookie, and keeps the session. */
  rotate?(): unknown;
  /** Saves at once. Absent if each `set` does that, or if only the end of the response does. */
  save?(): unknown;
}

/** The key of the logged-in user. */
export const USER = "userId";

/** A library's store passes here before each of its calls. A case makes it slow or down. */
export interface Gate {
  read(): Promise<void>;
  /** A write of the whole session under a key; the first one counts as a `create`. */
  write(key: string): Promise<void>;
  destroy(key: string): Promise<void>;
}

/** An application that a library's server must run. */
export interface PeerApplication {
  readonly gate: Gate;
  /** The backend of the case, for a library that takes one of our drivers. */
  readonly driver: Driver;
  /** The cookie's name. */
  readonly name: string;
  /** The cookie's settings that the case asks for. */
  readonly cookie: {
    readonly path?: string;
    readonly secure?: boolean;
    readonly sameSite?: "strict" | "lax" | "none";
  };
  /** Makes the session that the case's handler sees. */
  sessionOf(means: Means): SeenSession;
  /** Runs the case's handler. */
  handle(session: SeenSession, method: string, url: string): Promise<Reply>;
  onError(error: unknown): void;
  /** As in the kit's application. */
  before(res: object, session: () => SeenSession | undefined): void;
  after(res: object, session: () => SeenSession | undefined): void;
}

/** A library, with a server that uses it as its documentation shows. */
export interface Peer {
  readonly name: string;
  /** The packages whose versions are on the page. */
  readonly packages: readonly string[];
  readonly abilities: readonly Ability[];
  /** Clauses that do not apply to the library's design, each with its reason. */
  readonly apart: readonly { readonly rule: Rule; readonly reason: string }[];
  readonly connect?: Connect;
  start(application: PeerApplication): Promise<Server & { destroy?(id: string): Promise<unknown> }>;
}

/** A store behind the gate that keeps texts, as every store outside the process does. */
export function textStore(gate: Gate) {
  const texts = new Map<string, string>();
  return {
    async get(key: string): Promise<unknown> {
      await gate.read();
      const text = texts.get(key);
      return text === undefined ? undefined : JSON.parse(text);
    },
    async set(key: string, value: unknown): Promise<void> {
      const text = JSON.stringify(value);
      await gate.write(key);
      texts.set(key, text);
    },
    async destroy(key: string): Promise<void> {
      await gate.destroy(key);
      texts.delete(key);
    },
  };
}

const NO_MANAGER = "it has no manager object that other code could wrap";

/** What applies to no library but ours. */
export const EVERYWHERE: Peer["apart"] = [
  { rule: "H12.2", reason: NO_MANAGER },
  { rule: "H12.3", reason: NO_MANAGER },
  { rule: "H12.4", reason: NO_MANAGER },
  { rule: "H4.10", reason: "properties of its session are how values are stored" },
];

const NO_BACKEND = "the session is in the cookie, so there is no backend";

/** What does not apply to a library that keeps the session in the cookie. */
export const IN_COOKIE: Peer["apart"] = [
  { rule: "H1.1", reason: NO_BACKEND },
  { rule: "H1.4", reason: NO_BACKEND },
  { rule: "H8", reason: NO_BACKEND },
  { rule: "H10", reason: NO_BACKEND },
  { rule: "H13.4", reason: NO_BACKEND },
  { rule: "H14.1", reason: "the case counts the calls of the backend, and there is none" },
];

/** What does not apply to a library with a store of the application's. */
export const IN_STORE: Peer["apart"] = [
  { rule: "H10.8", reason: "the error is that of the store, whatever the library" },
];
