import type { StandardSchemaV1 } from "@standard-schema/spec";
import { expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import type * as core from "../src/index.ts";
import {
  createSessionManager,
  type Driver,
  type Duration,
  defineStore,
  devalueCodec,
  isListingDriver,
  type Session,
  type SessionManagerOptions,
} from "../src/index.ts";
import type * as memory from "../src/memory.ts";

// What the compiler must refuse stands in functions that nobody calls.
const compiled = (..._: unknown[]): void => expect(true).toBe(true);

declare const session: Session;

test("a typed store knows its keys and their values", () => {
  interface Cart {
    items: string[];
    coupon?: string;
    note: string | undefined;
  }
  const definition = defineStore<Cart>("cart");
  const check = (): void => {
    const cart = session.store(definition);
    expectTypeOf(cart).toEqualTypeOf<core.Store<Cart>>();
    expectTypeOf(session.store<Cart>("cart")).toEqualTypeOf<core.Store<Cart>>();
    expectTypeOf(cart.get("items")).toEqualTypeOf<string[] | undefined>();
    expectTypeOf(cart.get("coupon")).toEqualTypeOf<string | undefined>();
    expectTypeOf(cart.take("items")).toEqualTypeOf<string[] | undefined>();
    expectTypeOf(cart.keys()).toEqualTypeOf<IterableIterator<"items" | "coupon" | "note">>();
    expectTypeOf(cart.values()).toEqualTypeOf<IterableIterator<string[] | string>>();
    type Pairs = ["items", string[]] | ["coupon", string] | ["note", string];
    expectTypeOf(cart.entries()).toEqualTypeOf<IterableIterator<Pairs>>();
    expectTypeOf([...cart]).toEqualTypeOf<Pairs[]>();
    expectTypeOf(cart.set("items", [])).toEqualTypeOf<core.Store<Cart>>();
    expectTypeOf(
      cart.update("items", (items) => {
        expectTypeOf(items).toEqualTypeOf<string[] | undefined>();
        return [...(items ?? []), "apple"];
      }),
    ).toEqualTypeOf<string[] | undefined>();
    cart.update("coupon", () => undefined);
    expectTypeOf(cart.assign({ items: [], coupon: undefined })).toEqualTypeOf<core.Store<Cart>>();
    expectTypeOf<core.StoreData<typeof definition>>().toEqualTypeOf<Cart>();
    // @ts-expect-error no such key
    cart.assign({ item: [] });
    // @ts-expect-error another type of value
    cart.assign({ items: "apple" });

    // @ts-expect-error no such key
    cart.get("item");
    // @ts-expect-error no such key
    cart.has("item");
    // @ts-expect-error no such key
    cart.delete("item");
    // @ts-expect-error no such key
    cart.set("item", []);
    // @ts-expect-error another type of value
    cart.set("items", "apple");
    // @ts-expect-error another key's type of value
    cart.set("coupon", []);
    // @ts-expect-error undefined is no value
    cart.set("coupon", undefined);
    // @ts-expect-error undefined is no value, although the key may hold it by its type
    cart.set("note", undefined);
    // @ts-expect-error what update is given must be synchronous
    cart.update("items", async () => []);
    // @ts-expect-error the name cannot be changed
    cart.name = "other";
    // @ts-expect-error another store's definition
    const other: core.Store<{ other: 1 }> = session.store(definition);
    compiled(other);
  };
  compiled(check);
});

test("a store by its name alone holds anything", () => {
  const check = (): void => {
    expectTypeOf(session.store("cart")).toEqualTypeOf<core.Store<Record<string, unknown>>>();
    expectTypeOf(session.store("cart").get("any")).toEqualTypeOf<unknown>();
    session.store("cart").set("any", new Map()).set("other", 1);
    // @ts-expect-error a store has a name
    session.store();
    // @ts-expect-error a store's name is text
    session.store(5);
  };
  compiled(check);
});

test("a schema gives the types that its validators return", () => {
  const profile = defineStore("profile", {
    schema: { name: z.string(), age: z.string().transform(Number), nick: z.string().optional() },
  });
  expectTypeOf(profile).toEqualTypeOf<
    core.StoreDefinition<{ name: string; age: number; nick: string | undefined }>
  >();
  expectTypeOf<core.Infer<{ a: StandardSchemaV1<string, Date> }>>().toEqualTypeOf<{ a: Date }>();
  const check = (): void => {
    const store = session.store(profile);
    expectTypeOf(store.get("age")).toEqualTypeOf<number | undefined>();
    // @ts-expect-error no such key
    store.get("surname");
    // @ts-expect-error another type of value
    store.set("name", 5);
    defineStore("v", { schema: { a: z.string() }, version: 1, migrate: (value) => value });
    // @ts-expect-error a version needs its migration
    defineStore("v", { schema: { a: z.string() }, version: 1 });
    // @ts-expect-error a version needs its migration
    defineStore<{ a: string }>("v", { version: 1 });
    // @ts-expect-error no validator
    defineStore("v", { schema: { a: "string" } });
  };
  compiled(check);
});

test("a session shows, and is changed by its methods alone", () => {
  const check = async (): Promise<void> => {
    expectTypeOf(session.id).toEqualTypeOf<string>();
    expectTypeOf(session.principal).toEqualTypeOf<string | undefined>();
    expectTypeOf(session.rejected).toEqualTypeOf<
      "malformed" | "signature" | "unknown" | "expired" | "reused" | undefined
    >();
    expectTypeOf((await session.commit()).status).toEqualTypeOf<"unchanged" | "committed" | "gone">();
    // @ts-expect-error read only
    session.id = "x";
    // @ts-expect-error read only
    session.principal = "ann";
    // @ts-expect-error a principal is text
    session.login(7);
    // @ts-expect-error a login names somebody
    session.login();
    // @ts-expect-error an expiry is a date
    session.setExpiry(5);
    // @ts-expect-error no such option
    void session.commit({ force: true });
  };
  compiled(check);
});

test("a manager's methods refuse what they would throw for", () => {
  const sessions = createSessionManager();
  const check = (): void => {
    // @ts-expect-error everyone, or a principal
    void sessions.destroyAll({});
    // @ts-expect-error nothing at all
    void sessions.destroyAll();
    // @ts-expect-error true, or not at all
    void sessions.destroyAll({ everyone: false });
    // @ts-expect-error no such event
    sessions.on("closed", () => {});
    // @ts-expect-error dates
    void sessions.sweep({ before: 5 });
    // @ts-expect-error how often?
    sessions.startSweeping({});
    // @ts-expect-error a Request is no header
    void sessions.open({ headers: {} });
    sessions.on("rejected", ({ reason }) =>
      expectTypeOf(reason).toEqualTypeOf<NonNullable<Session["rejected"]>>(),
    );
    sessions.on("rotated", ({ id, previousId, reason }) => {
      expectTypeOf(id).toEqualTypeOf<string>();
      expectTypeOf(previousId).toEqualTypeOf<string>();
      expectTypeOf(reason).toEqualTypeOf<"login" | "rotate" | "periodic">();
    });
    sessions.on("error", ({ error }) => expectTypeOf(error).toEqualTypeOf<unknown>());
  };
  compiled(check);
});

test("options that cannot work do not compile", () => {
  const options: SessionManagerOptions[] = [
    { idle: "30m", absolute: false, touchEvery: 0, codec: devalueCodec, clock: () => 0 },
    // @ts-expect-error no such option
    { idleTimeout: 5 },
    // @ts-expect-error no such unit
    { idle: "5w" },
    // @ts-expect-error no number
    { idle: "soon" },
    // @ts-expect-error only the absolute timeout can be switched off
    { idle: false },
    // @ts-expect-error it is switched off by false
    { absolute: true },
    // @ts-expect-error a list, for the next one
    { secrets: "one" },
    // @ts-expect-error lower case
    { cookie: { sameSite: "Lax" } },
    // @ts-expect-error always on
    { cookie: { httpOnly: true } },
    // @ts-expect-error how often?
    { rotation: {} },
    // @ts-expect-error no such answer
    { rotation: { every: "1h", onReuse: "log" } },
    // @ts-expect-error a URL is for driverFromUrl
    { driver: "redis://localhost" },
    // @ts-expect-error it is not there yet
    { driver: Promise.resolve(smallest) },
  ];
  const duration: Duration[] = ["1ms", "1.5h", "30d", 5];
  compiled(options, duration);
});

// The smallest legal driver.
const smallest: Driver = {
  name: "smallest",
  create: async () => true,
  load: async () => undefined,
  commit: async () => "committed",
  destroy: async () => false,
  sweep: async () => 0,
};

test("the smallest legal driver compiles, and each broken one does not", () => {
  const { name, create, load, commit, destroy, sweep } = smallest;
  const whole = { name, create, load, commit, destroy, sweep };
  const drivers: Driver[] = [
    whole,
    { ...whole, maxRecordBytes: 400_000 },
    { ...whole, maxRecordBytes: undefined },
    { ...whole, maxFieldsPerCommit: 100, volatile: true },
    // @ts-expect-error no name
    { create, load, commit, destroy, sweep },
    // @ts-expect-error no create
    { name, load, commit, destroy, sweep },
    // @ts-expect-error no load
    { name, create, commit, destroy, sweep },
    // @ts-expect-error no commit
    { name, create, load, destroy, sweep },
    // @ts-expect-error no destroy
    { name, create, load, commit, sweep },
    // @ts-expect-error no sweep
    { name, create, load, commit, destroy },
    // @ts-expect-error a name is text
    { ...whole, name: 5 },
    // @ts-expect-error a size is a number
    { ...whole, maxRecordBytes: "400KB" },
    // @ts-expect-error create says whether it did
    { ...whole, create: async () => {} },
    // @ts-expect-error nothing is synchronous
    { ...whole, create: () => true },
    // @ts-expect-error what is not there is undefined
    { ...whole, load: async () => null },
    // @ts-expect-error a record has a version
    { ...whole, load: async () => ({ expiresAt: 1, fields: new Map() }) },
    // @ts-expect-error a record has an expiry
    { ...whole, load: async () => ({ version: 1, fields: new Map() }) },
    // @ts-expect-error an expiry is epoch milliseconds
    { ...whole, load: async () => ({ version: 1, expiresAt: new Date(), fields: new Map() }) },
    // @ts-expect-error fields are a Map
    { ...whole, load: async () => ({ version: 1, expiresAt: 1, fields: {} }) },
    // @ts-expect-error values are text
    { ...whole, load: async () => ({ version: 1, expiresAt: 1, fields: new Map([["s/k", 1]]) }) },
    // @ts-expect-error commit has three outcomes
    { ...whole, commit: async () => true },
    // @ts-expect-error no such outcome
    { ...whole, commit: async () => "ok" },
    // @ts-expect-error nor none at all
    { ...whole, commit: async () => undefined },
    // @ts-expect-error destroy says whether there was one
    { ...whole, destroy: async () => {} },
    // @ts-expect-error sweep says how many
    { ...whole, sweep: async () => true },
    // @ts-expect-error an id is text
    { ...whole, destroy: async (_id: number) => true },
    // @ts-expect-error the range is one object
    { ...whole, sweep: async (_after: number, _before: number) => 0 },
  ];
  compiled(drivers);
});

test("what a driver is given is not its to change", () => {
  const check = (record: core.NewRecord, change: core.Change, stored: core.StoredRecord): void => {
    // @ts-expect-error read only
    record.expiresAt = 1;
    // @ts-expect-error read only
    record.fields.set("s/k", "");
    // @ts-expect-error read only
    change.fields.delete("s/k");
    // @ts-expect-error read only
    stored.version++;
  };
  compiled(check);
});

test("an ability is there after its guard, and not before", () => {
  const check = (driver: Driver): void => {
    // @ts-expect-error not every driver lists
    driver.list({ limit: 1 }, 0);
    // @ts-expect-error not every driver closes
    driver.close();
    if (isListingDriver(driver)) expectTypeOf(driver).toEqualTypeOf<core.ListingDriver>();
    const wrapper: Driver = {
      ...smallest,
      ...(isListingDriver(driver) && { list: driver.list }),
    };
    compiled(wrapper);
  };
  compiled(check);
});

/** What is promised to those who use and extend the package, as it is written down for them. */
declare namespace Pinned {
  type Duration = number | `${number}${"ms" | "s" | "m" | "h" | "d"}`;
  interface SessionManagerOptions {
    driver?: Driver | undefined;
    idle?: Duration | undefined;
    absolute?: Duration | false | undefined;
    touchEvery?: Duration | undefined;
    cookie?: CookieOptions | undefined;
    secrets?: readonly string[] | undefined;
    rotation?:
      | { every: Duration; grace?: Duration | undefined; onReuse?: "destroy" | "report" | undefined }
      | undefined;
    codec?: Codec | readonly Codec[] | undefined;
    maxBytes?: number | undefined;
    anonymous?: { idle?: Duration | undefined; maxBytes?: number | undefined } | undefined;
    metadata?:
      | {
          lastSeen?: boolean | undefined;
          userAgent?: boolean | undefined;
          ip?: boolean | "shortened" | undefined;
        }
      | undefined;
    maxPerPrincipal?: { sessions: number; whenFull?: "endOldest" | "refuse" | undefined } | undefined;
    setup?: "auto" | "manual" | undefined;
    clock?: (() => number) | undefined;
  }
  interface CookieOptions {
    name?: string | undefined;
    path?: string | undefined;
    domain?: string | undefined;
    secure?: boolean | undefined;
    sameSite?: "lax" | "strict" | "none" | undefined;
    partitioned?: boolean | undefined;
    priority?: "low" | "medium" | "high" | undefined;
    maxAge?: "session" | Duration | undefined;
  }
  interface Codec {
    readonly name?: string | undefined;
    encode(value: unknown): string;
    decode(text: string): unknown;
  }
  interface OpenOptions {
    touch?: boolean | undefined;
    crossSite?: boolean | undefined;
    secure?: boolean | undefined;
    device?: { userAgent?: string | undefined; ip?: string | undefined } | undefined;
  }
  interface SessionManager {
    open(cookieHeader: string | null | undefined, options?: OpenOptions): Promise<Session>;
    load(token: string, options?: OpenOptions): Promise<Session | undefined>;
    create(): Session;
    get(id: string): Promise<Session | undefined>;
    exists(id: string): Promise<boolean>;
    valid(id: string): Promise<boolean>;
    destroy(id: string, options?: { principal?: string | undefined }): Promise<boolean>;
    setExpiry(id: string, at: Date): Promise<boolean>;
    list(query?: { principal?: string | undefined }): AsyncIterableIterator<SessionInfo>;
    destroyAll(
      query:
        | { principal: string; except?: string | undefined; label?: string | undefined }
        | { everyone: true },
    ): Promise<number>;
    sweep(range?: {
      after?: Date | undefined;
      before?: Date | undefined;
      limit?: number | undefined;
      force?: boolean | undefined;
    }): Promise<number>;
    startSweeping(options: { every: Duration }): () => void;
    setup(): Promise<void>;
    check(): Promise<string[]>;
    teardown(): Promise<void>;
    readToken(cookieHeader: string | null | undefined): string | undefined;
    clearCookie(): string;
    on<E extends keyof SessionEvents>(event: E, listener: (event: SessionEvents[E]) => void): () => void;
    close(): Promise<void>;
  }
  interface SessionInfo {
    readonly id: string;
    readonly createdAt: Date;
    readonly expiresAt: Date;
    readonly principal: string | undefined;
    readonly authenticatedAt: Date | undefined;
    readonly lastSeenAt: Date | undefined;
    readonly userAgent: string | undefined;
    readonly ip: string | undefined;
    readonly label: string | undefined;
    readonly stores: readonly string[];
    readonly bytes: number;
  }
  interface Named {
    id: string;
    principal: string | undefined;
  }
  interface SessionEvents {
    created: Named;
    expired: Named;
    rejected: { reason: "malformed" | "signature" | "unknown" | "expired" | "reused" };
    rotated: Named & { previousId: string; reason: "login" | "rotate" | "periodic" };
    destroyed: Named & { reason: "logout" | "admin" | "reused" | "limit" };
    reused: Named;
    gone: Named;
    swept: { count: number };
    error: { error: unknown; during: "sweep" | "listener" };
  }
  interface LoginOptions {
    maxAge?: "session" | Duration | undefined;
    idle?: Duration | undefined;
    absolute?: Duration | undefined;
    label?: string | undefined;
  }
  interface Session {
    readonly id: string;
    readonly isNew: boolean;
    readonly createdAt: Date;
    readonly expiresAt: Date;
    readonly principal: string | undefined;
    readonly rejected: "malformed" | "signature" | "unknown" | "expired" | "reused" | undefined;
    store<T extends object = Record<string, unknown>>(store: string | StoreDefinition<T>): Store<T>;
    storeNames(): string[];
    login(principal: string, options?: LoginOptions): void;
    readonly authenticatedAt: Date | undefined;
    reauthenticate(): void;
    authenticatedWithin(time: Duration): boolean;
    logout(): Promise<void>;
    discard(): void;
    rotate(): void;
    flash(name: string): unknown[];
    flash(name: string, value: unknown): void;
    setExpiry(at: Date): void;
    commit(options?: { seal?: boolean | undefined }): Promise<CommitResult>;
  }
  interface CommitResult {
    readonly status: "unchanged" | "committed" | "gone";
    readonly token: string | undefined;
    readonly setCookie: string | undefined;
    readonly cookie: SessionCookie | undefined;
  }
  interface SessionCookie {
    name: string;
    value: string;
    path: string;
    httpOnly: true;
    secure: boolean;
    sameSite: "lax" | "strict" | "none";
    domain?: string;
    maxAge?: number;
    partitioned?: boolean;
    priority?: "low" | "medium" | "high";
  }
  type Key<T> = Extract<keyof T, string>;
  type Value<T, K extends keyof T> = Exclude<T[K], undefined>;
  type Entry<T> = { [K in Key<T>]-?: [K, Value<T, K>] }[Key<T>];
  interface Store<T extends object> extends Iterable<Entry<T>> {
    readonly name: string;
    readonly size: number;
    get<K extends Key<T>>(key: K): Value<T, K> | undefined;
    set<K extends Key<T>>(key: K, value: Value<T, K>): this;
    delete(key: Key<T>): boolean;
    has(key: Key<T>): boolean;
    keys(): IterableIterator<Key<T>>;
    values(): IterableIterator<Entry<T>[1]>;
    entries(): IterableIterator<Entry<T>>;
    clear(): void;
    assign(values: { readonly [K in Key<T>]?: Value<T, K> | undefined }): this;
    take<K extends Key<T>>(key: K): Value<T, K> | undefined;
    update<K extends Key<T>>(
      key: K,
      fn: (value: Value<T, K> | undefined) => Value<T, K> | undefined,
    ): Value<T, K> | undefined;
  }
  interface StoreDefinition<T extends object> {
    readonly name: string;
    readonly "~types"?: (value: T) => T;
  }
  type Schemas = Readonly<Record<string, StandardSchemaV1>>;
  type Infer<S extends Schemas> = { [K in keyof S]: StandardSchemaV1.InferOutput<S[K]> };
  interface Versioned {
    version: number;
    migrate(value: unknown, from: number, key: string): unknown;
  }
  function defineStore<S extends Schemas>(
    name: string,
    options: { schema: S } & (Versioned | { version?: never }),
  ): StoreDefinition<Infer<S>>;
  function defineStore<T extends object = Record<string, unknown>>(
    name: string,
    options?: Versioned,
  ): StoreDefinition<T>;
  type SessionErrorCode =
    `ERR_SESSION_${"CONFIG" | "TOO_LARGE" | "CODEC" | "CONFLICT" | "SETUP" | "UNAVAILABLE" | "UNSUPPORTED" | "HEADERS_SENT" | "LIMIT"}`;
  interface SessionError extends Error {
    readonly code: SessionErrorCode;
    readonly retryable: boolean;
  }
  type SessionErrorClass = new (
    code: SessionErrorCode,
    message: string,
    options?: ErrorOptions,
  ) => SessionError;
  type ErrorClass = new (message: string, options?: ErrorOptions) => SessionError;
  interface Driver {
    readonly name: string;
    readonly maxRecordBytes?: number | undefined;
    readonly maxFieldsPerCommit?: number | undefined;
    readonly volatile?: boolean | undefined;
    create(id: string, record: NewRecord, now: number): Promise<boolean>;
    load(id: string): Promise<StoredRecord | undefined>;
    commit(id: string, change: Change, now: number): Promise<CommitOutcome>;
    destroy(id: string, now: number): Promise<boolean>;
    sweep(range: SweepRange): Promise<number>;
  }
  interface ListingDriver extends Driver {
    readonly eventualList?: boolean | undefined;
    readonly principalsOnly?: boolean | undefined;
    list(query: ListQuery, now: number): Promise<ListPage>;
  }
  interface ProvisionedDriver extends Driver {
    setup(): Promise<void>;
    check(): Promise<string[]>;
    teardown(): Promise<void>;
  }
  interface ClosableDriver extends Driver {
    close(): Promise<void>;
  }
  type CommitOutcome = "committed" | "gone" | "conflict";
  interface NewRecord {
    readonly expiresAt: number;
    readonly principal?: string | undefined;
    readonly fields: ReadonlyMap<string, string>;
  }
  interface StoredRecord extends NewRecord {
    readonly version: number;
  }
  interface Change {
    readonly fields: ReadonlyMap<string, string | null>;
    readonly expiresAt?: number | undefined;
    readonly principal?: string | null | undefined;
    readonly ifVersion?: number | undefined;
  }
  interface SweepRange {
    readonly after: number;
    readonly before: number;
    readonly limit: number;
  }
  interface ListQuery {
    readonly principal?: string | undefined;
    readonly cursor?: string | undefined;
    readonly limit: number;
  }
  interface ListedRecord extends StoredRecord {
    readonly id: string;
  }
  interface ListPage {
    readonly records: readonly ListedRecord[];
    readonly cursor?: string | undefined;
  }
}

/** Each can stand where the other is expected, and has no property that the other lacks. */
type Same<A, B> = [A, B] extends [B, A]
  ? [keyof A, keyof B] extends [keyof B, keyof A]
    ? true
    : "keys"
  : "types";

test("the pinned types and ours stand for each other", () => {
  interface Shape {
    a: string;
    b?: number;
    c: Date | undefined;
  }
  interface Pairs {
    Duration: Same<core.Duration, Pinned.Duration>;
    SessionManagerOptions: Same<core.SessionManagerOptions, Pinned.SessionManagerOptions>;
    CookieOptions: Same<core.CookieOptions, Pinned.CookieOptions>;
    Codec: Same<core.Codec, Pinned.Codec>;
    OpenOptions: Same<core.OpenOptions, Pinned.OpenOptions>;
    SessionManager: Same<core.SessionManager, Pinned.SessionManager>;
    SessionInfo: Same<core.SessionInfo, Pinned.SessionInfo>;
    SessionEvents: Same<core.SessionEvents, Pinned.SessionEvents>;
    Session: Same<core.Session, Pinned.Session>;
    LoginOptions: Same<core.LoginOptions, Pinned.LoginOptions>;
    CommitResult: Same<core.CommitResult, Pinned.CommitResult>;
    SessionCookie: Same<core.SessionCookie, Pinned.SessionCookie>;
    Store: Same<core.Store<Shape>, Pinned.Store<Shape>>;
    AnyStore: Same<core.Store<Record<string, unknown>>, Pinned.Store<Record<string, unknown>>>;
    Key: Same<core.Key<Shape>, Pinned.Key<Shape>>;
    Value: Same<core.Value<Shape, "c">, Pinned.Value<Shape, "c">>;
    Entry: Same<core.Entry<Shape>, Pinned.Entry<Shape>>;
    StoreDefinition: Same<core.StoreDefinition<Shape>, Pinned.StoreDefinition<Shape>>;
    Schemas: Same<core.Schemas, Pinned.Schemas>;
    Infer: Same<
      core.Infer<{ a: StandardSchemaV1<string, Date> }>,
      Pinned.Infer<{ a: StandardSchemaV1<string, Date> }>
    >;
    Versioned: Same<core.Versioned, Pinned.Versioned>;
    SessionErrorCode: Same<core.SessionErrorCode, Pinned.SessionErrorCode>;
    SessionError: Same<core.SessionError, Pinned.SessionError>;
    Driver: Same<core.Driver, Pinned.Driver>;
    ListingDriver: Same<core.ListingDriver, Pinned.ListingDriver>;
    ProvisionedDriver: Same<core.ProvisionedDriver, Pinned.ProvisionedDriver>;
    ClosableDriver: Same<core.ClosableDriver, Pinned.ClosableDriver>;
    CommitOutcome: Same<core.CommitOutcome, Pinned.CommitOutcome>;
    NewRecord: Same<core.NewRecord, Pinned.NewRecord>;
    StoredRecord: Same<core.StoredRecord, Pinned.StoredRecord>;
    Change: Same<core.Change, Pinned.Change>;
    SweepRange: Same<core.SweepRange, Pinned.SweepRange>;
    ListQuery: Same<core.ListQuery, Pinned.ListQuery>;
    ListedRecord: Same<core.ListedRecord, Pinned.ListedRecord>;
    ListPage: Same<core.ListPage, Pinned.ListPage>;
  }
  expectTypeOf<Pairs>().toEqualTypeOf<{ [K in keyof Pairs]: true }>();
  // The comparison can fail.
  expectTypeOf<Same<Pinned.Change, Pinned.NewRecord>>().toEqualTypeOf<"types">();
  expectTypeOf<Same<Pinned.OpenOptions, { touch?: boolean | undefined }>>().toEqualTypeOf<"keys">();
  compiled();
});

test("the pinned functions and classes are ours", () => {
  const check = (ours: typeof core, inMemory: typeof memory): void => {
    expectTypeOf(ours.createSessionManager).toExtend<
      (options?: Pinned.SessionManagerOptions) => Pinned.SessionManager
    >();
    expectTypeOf(ours.driverFromUrl).toExtend<
      (url: string | undefined, packages?: Readonly<Record<string, string>>) => Promise<Pinned.Driver>
    >();
    expectTypeOf(ours.devalueCodec).toExtend<Pinned.Codec>();
    expectTypeOf(ours.jsonCodec).toExtend<Pinned.Codec>();
    expectTypeOf(ours.defineStore).toExtend<typeof Pinned.defineStore>();
    expectTypeOf<typeof Pinned.defineStore>().toExtend<typeof ours.defineStore>();
    expectTypeOf(ours.SessionError).toExtend<Pinned.SessionErrorClass>();
    expectTypeOf(ours.SessionConfigError).toExtend<Pinned.ErrorClass>();
    expectTypeOf(ours.SessionTooLargeError).toExtend<Pinned.ErrorClass>();
    expectTypeOf(ours.SessionCodecError).toExtend<Pinned.ErrorClass>();
    expectTypeOf(ours.SessionConflictError).toExtend<Pinned.ErrorClass>();
    expectTypeOf(ours.SessionLimitError).toExtend<Pinned.ErrorClass>();
    expectTypeOf(ours.SessionSetupError).toExtend<Pinned.ErrorClass>();
    expectTypeOf(ours.DriverUnavailableError).toExtend<Pinned.ErrorClass>();
    expectTypeOf(ours.isSessionError).toExtend<
      (error: unknown, code?: Pinned.SessionErrorCode) => error is core.SessionError
    >();
    expectTypeOf(ours.isListingDriver).toExtend<(driver: Pinned.Driver) => driver is Pinned.ListingDriver>();
    expectTypeOf(ours.isProvisionedDriver).toExtend<
      (driver: Pinned.Driver) => driver is Pinned.ProvisionedDriver
    >();
    expectTypeOf(ours.isClosableDriver).toExtend<
      (driver: Pinned.Driver) => driver is Pinned.ClosableDriver
    >();
    expectTypeOf(ours.isLoggedIn).toExtend<
      (session: core.Session) => session is core.Session & { readonly principal: string }
    >();
    expectTypeOf(inMemory.memoryDriver).toExtend<
      (options?: { maxSessions?: number | undefined }) => Pinned.ListingDriver
    >();
    type MemoryOptions = NonNullable<Parameters<typeof inMemory.memoryDriver>[0]>;
    expectTypeOf<Same<MemoryOptions, { maxSessions?: number | undefined }>>().toEqualTypeOf<true>();
  };
  compiled(check);
});

test("what is exported by name is what is promised, and nothing else", async () => {
  const names = [
    ...["DriverUnavailableError", "SessionCodecError", "SessionConfigError", "SessionConflictError"],
    ...[
      "SessionError",
      "SessionLimitError",
      "SessionSetupError",
      "SessionTooLargeError",
      "createSessionManager",
      "defineStore",
    ],
    ...["devalueCodec", "driverFromUrl", "isClosableDriver", "isListingDriver", "isLoggedIn"],
    ...["isProvisionedDriver", "isSessionError", "jsonCodec"],
  ];
  expect(Object.keys(await import("../src/index.ts")).sort()).toStrictEqual(names.sort());
  expect(Object.keys(await import("../src/memory.ts"))).toStrictEqual(["memoryDriver"]);
});
