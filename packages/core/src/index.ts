export { isClosableDriver, isListingDriver, isProvisionedDriver } from "./abilities.ts";
export type { DestroyAllQuery, SessionInfo } from "./administration.ts";
export { type Codec, devalueCodec, jsonCodec } from "./codec.ts";
export type { CommitResult } from "./commit.ts";
export type { CookieOptions, SessionCookie } from "./cookie.ts";
export {
  defineStore,
  type Infer,
  type Schemas,
  type StoreDefinition,
  type Versioned,
} from "./define-store.ts";
// biome-ignore format: the whole surface on one screen
export type {
  Change, ClosableDriver, CommitOutcome, Driver, ListedRecord, ListingDriver, ListPage, ListQuery, NewRecord,
  ProvisionedDriver, StoredRecord, SweepRange,
} from "./driver.ts";
export { driverFromUrl } from "./driver-from-url.ts";
export type { Duration } from "./duration.ts";
// biome-ignore format: the whole surface on one screen
export {
  DriverUnavailableError, isSessionError, SessionCodecError, SessionConfigError, SessionConflictError, SessionError,
  type SessionErrorCode, SessionSetupError, SessionTooLargeError,
} from "./errors.ts";
export type { SessionEvents } from "./events.ts";
export { createSessionManager, type SessionManager } from "./manager.ts";
export type { OpenOptions } from "./open.ts";
export type { Session } from "./session.ts";
export type { SessionManagerOptions } from "./settings.ts";
export type { Entry, Key, Store, Value } from "./store.ts";
export type { SweepOptions } from "./sweeping.ts";
