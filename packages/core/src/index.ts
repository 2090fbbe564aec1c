export type { Duration } from "./base/duration.ts";
// biome-ignore format: the whole surface on one screen
export {
  DriverUnavailableError, isSessionError, SessionCodecError, SessionConfigError, SessionConflictError, SessionError,
  type SessionErrorCode, SessionLimitError, SessionSetupError, SessionTooLargeError,
} from "./base/errors.ts";
export type { CookieOptions, SessionCookie } from "./context/cookie.ts";
export type { SessionEvents } from "./context/events.ts";
export type { SessionManagerOptions } from "./context/settings.ts";
export { isClosableDriver, isListingDriver, isProvisionedDriver } from "./driver/abilities.ts";
// biome-ignore format: the whole surface on one screen
export type {
  Change, ClosableDriver, CommitOutcome, Driver, ListedRecord, ListingDriver, ListPage, ListQuery, NewRecord,
  ProvisionedDriver, StoredRecord, SweepRange,
} from "./driver/contract.ts";
export { driverFromUrl } from "./driver/from-url.ts";
export type { DestroyAllQuery, SessionInfo } from "./manager/administration.ts";
export { createSessionManager, type SessionManager } from "./manager/manager.ts";
export type { SweepOptions } from "./manager/sweeping.ts";
export type { OpenOptions } from "./session/open.ts";
export { type CommitResult, isLoggedIn, type LoginOptions, type Session } from "./session/session.ts";
export { type Codec, devalueCodec, jsonCodec } from "./store/codec.ts";
export {
  defineStore,
  type Infer,
  type Schemas,
  type StoreData,
  type StoreDefinition,
  type Versioned,
} from "./store/define-store.ts";
export type { Entry, Key, Store, Value } from "./store/store.ts";
