export { isClosableDriver, isListingDriver, isProvisionedDriver } from "./abilities.ts";
export type {
  Change,
  ClosableDriver,
  CommitOutcome,
  Driver,
  ListedRecord,
  ListingDriver,
  ListPage,
  ListQuery,
  NewRecord,
  ProvisionedDriver,
  StoredRecord,
  SweepRange,
} from "./driver.ts";
export {
  DriverUnavailableError,
  isSessionError,
  SessionCodecError,
  SessionConfigError,
  SessionConflictError,
  SessionError,
  type SessionErrorCode,
  SessionSetupError,
  SessionTooLargeError,
} from "./errors.ts";
