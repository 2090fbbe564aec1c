import { AsyncLocalStorage } from "node:async_hooks";
import { EventEmitter } from "node:events";
import { createRequire } from "node:module";
import { callbackify } from "node:util";
import type { Done, OldStore, StoredSession } from "@sessions/adopting";
import { type Driver, SessionConfigError, SessionError } from "@sessions/core";
import {
  checkOption,
  checkOptions,
  milliseconds,
  selfProvisioning,
  serialize,
} from "@sessions/core/driver-tools";
import { createPrincipals, listSessions, type PrincipalOf, passportUser } from "@sessions/whole-sessions";
import { createAdoption } from "./adoption.ts";
import { decodeSession, LISTED, recordId } from "./layout.ts";
import { createRecords, type Held, hold } from "./records.ts";
import type { ExpressSessionStore, ExpressSessionStoreOptions, StoreClass } from "./store-types.ts";

function installedStore(): StoreClass<EventEmitter> | undefined {
  try {
    const found: unknown = createRequire(import.meta.url)("express-session");
    const Store: unknown = Reflect.get(Object(found), "Store");
    return isStoreClass(Store) ? Store : undefined;
  } catch {
    return undefined;
  }
}

const isStoreClass = (value: unknown): value is StoreClass<EventEmitter> =>
  typeof value === "function" && value.prototype instanceof EventEmitter;

/** A call of `get`, for requests that await it. */
interface Call {
  readonly id: string;
  held: Held | undefined;
  error: unknown;
}

/** @throws SessionError `ERR_SESSION_UNSUPPORTED` for a host that calls stores in another way, such as koa-session. */
function checkCallback(method: string, callback: unknown): void {
  if (typeof callback !== "function")
    throw new SessionError(
      "ERR_SESSION_UNSUPPORTED",
      `expressSessionStore: ${method}() was called without a callback as its last argument. The store is for express-session, @fastify/session and express-openid-connect. For koa-session there is @sessions/koa-session.`,
    );
}

/** Tells a callback too, if there is one, how a call has ended. */
function settle<T>(work: Promise<T>, callback?: (error: unknown, result?: T) => void): Promise<T> {
  if (callback) callbackify(() => work)(callback);
  return work;
}

/** The callback of a caller that passed none: the error becomes a process warning. */
const warn: Done = (error) => {
  if (error) process.emitWarning(error instanceof Error ? error : String(error));
};

/**
 * Makes a store for express-session, or for `@fastify/session`, that keeps its sessions in a driver. Of overlapping
 * requests that write different keys, both writes survive. A session that has ended stays ended.
 *
 * @throws SessionConfigError that names the option, if one is unknown or out of range.
 * @example
 * import { memoryDriver } from "@sessions/core/memory";
 * import { expressSessionStore } from "@sessions/express-session";
 * import session from "express-session";
 *
 * const store = expressSessionStore(memoryDriver(), { Store: session.Store });
 * const secret = process.env.SESSION_SECRET ?? "";
 * export const middleware = session({ store, secret, resave: false, saveUninitialized: false });
 */
export function expressSessionStore<S extends EventEmitter = EventEmitter>(
  driver: Driver,
  options: ExpressSessionStoreOptions<S> = {},
): S & ExpressSessionStore {
  checkOptions("expressSessionStore", options, ["Store", "idle", "setup", "principal", "adopt"]);
  const isDriver = typeof Object(driver).load === "function";
  checkOption(
    isDriver,
    "driver",
    "a driver (await the promise if it comes from an async function)",
    typeof driver,
  );
  const { Store = installedStore() ?? EventEmitter, idle: given = "24h", setup = "auto" } = options;
  const { principal = passportUser, adopt } = options;
  checkOption(["auto", "manual"].includes(setup), "setup", '"auto" or "manual"', setup);
  checkOption(typeof Store === "function", "Store", "express-session's session.Store", typeof Store);
  checkOption(typeof principal === "function", "principal", "a function", principal);
  checkOption(
    adopt === undefined || typeof Object(adopt).get === "function",
    "adopt",
    "a store for express-session",
    typeof adopt,
  );
  const idle = milliseconds("idle", given);
  const backend = setup === "auto" ? selfProvisioning(driver) : driver;
  const principalOf = createPrincipals(principal);
  const old = adopt && createAdoption(backend, adopt, idle, principalOf);
  const records = createRecords(backend, idle, principalOf, old);
  const sessions = new WeakMap<object, Held>();
  const reading = new AsyncLocalStorage<Held>();
  const calling = new AsyncLocalStorage<Call | undefined>();

  /** Finds what is known of `session`: by the object itself, or else by the request that read it. */
  function heldFor(id: string, session: object): Held {
    const known = sessions.get(session);
    if (known?.id === id) return known;
    const held = heldOfRequest(id) ?? hold(id);
    sessions.set(session, held);
    return held;
  }

  /** Finds what the running request has read of a session, if it has not destroyed it. */
  function heldOfRequest(id: string): Held | undefined {
    const call = calling.getStore();
    if (call?.id === id && call.error !== undefined) throw call.error;
    return [reading.getStore(), call?.held].find((held) => held?.id === id && !held.over);
  }

  async function read(sid: string): Promise<{ held: Held; session: StoredSession } | undefined> {
    const found = await records.read(sid);
    if (found) sessions.set(found.session, found.held);
    return found;
  }

  const store: S = Reflect.construct(Store, []);
  const createSession: unknown = Reflect.get(store, "createSession");

  const methods: ExpressSessionStore & { createSession(req: object, data: object): object } = {
    get<T extends StoredSession>(sid: string, callback: (error: unknown, session?: T | null) => void) {
      checkCallback("get", callback);
      const call: Call = { id: recordId(sid), held: undefined, error: undefined };
      // express-openid-connect awaits: it goes on in the context of this call, and not in that of the callback.
      calling.enterWith(call);
      callbackify(read)(sid, (error, found) => {
        // It takes an error for "no session", and ends or replaces the session then: that must fail too.
        call.error = error ?? undefined;
        call.held = found?.held;
        if (error || !found) calling.run(undefined, callback, error ?? null, null);
        // @fastify/session copies the session into a new object; the asynchronous context of the request lets `set`
        // recognise that object. The type T is not checked: it is the claim of the application, as with every store.
        else reading.run(found.held, callback, null, found.session as T);
      });
    },

    set(sid, session, callback = warn) {
      checkCallback("set", callback);
      callbackify(async () => {
        const written = records.encode(session);
        const held = heldFor(recordId(sid), session);
        await serialize(held, () => records.write(held, written));
      })(callback);
    },

    touch(sid, session, callback = warn) {
      callbackify(async () => {
        const written = records.encode(session);
        const held = heldFor(recordId(sid), session);
        await serialize(held, () => records.touch(held, written));
      })(callback);
    },

    destroy(sid, callback = warn) {
      checkCallback("destroy", callback);
      callbackify(async () => {
        const held = heldOfRequest(recordId(sid));
        if (held) held.over = true;
        await records.destroy(sid);
      })(callback);
    },

    all(callback) {
      callbackify(async () =>
        (await listSessions(backend, LISTED)).records.flatMap(
          ({ fields, expiresAt }) => decodeSession(fields, expiresAt) ?? [],
        ),
      )(callback);
    },

    length(callback) {
      callbackify(async () => (await listSessions(backend, LISTED)).records.length)(callback);
    },

    clear(callback = warn) {
      callbackify(records.clear)(callback);
    },

    destroyAll: (principal: string | number, callback?: (error: unknown, count?: number) => void) =>
      settle(records.destroyAll(principal), callback),

    exists: (sid: string, callback?: (error: unknown, exists?: boolean) => void) =>
      settle(
        records.read(sid).then((found) => found !== undefined),
        callback,
      ),

    createSession(req, data) {
      if (typeof createSession !== "function")
        throw new SessionConfigError(
          "expressSessionStore: the option Store must be session.Store of express-session. Pass { Store: session.Store }.",
        );
      const session: object = Reflect.apply(createSession, store, [req, data]);
      // express-session copies the session that it read into a new object.
      const held = sessions.get(data);
      if (held) sessions.set(session, held);
      return session;
    },
  };
  const made = Object.assign(store, methods);
  drivers.set(made, { driver, settings: { idle, setup, principal, ...(adopt && { from: adopt }) } });
  return made;
}

/** What a store of {@link expressSessionStore} was made of. */
interface Made {
  readonly driver: Driver;
  readonly settings: {
    readonly idle: number;
    readonly setup: "auto" | "manual";
    readonly principal: PrincipalOf;
    readonly from?: OldStore;
  };
}

const drivers = new WeakMap<object, Made>();

/** What a store was made of, if {@link expressSessionStore} made it. */
export const driverOf = (store: object): Made | undefined => drivers.get(store);
