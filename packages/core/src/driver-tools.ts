// For authors of drivers: checks of options with uniform messages, calls that end in time, and other tools that drivers
// share. It has no policy. Applications do not need it.
export { milliseconds } from "./base/duration.ts";
export { checkOption, checkOptions, isWhole } from "./base/options.ts";
export { shownError } from "./base/shown-error.ts";
export { type Call, type CallDetails, type CallRules, createCall, readTimeout } from "./driver/call.ts";
export { mergeChange, mergeFields, raisesVersion } from "./driver/change.ts";
export { type ClientName, checkClient } from "./driver/clients.ts";
export { pageById } from "./driver/page.ts";
export { type RetryRules, retry } from "./driver/retry.ts";
export { selfProvisioning } from "./driver/self-provisioning.ts";
export { serialize } from "./driver/serialize.ts";
export {
  type FoundColumn,
  type FoundIndex,
  type FoundTable,
  inspectTable,
  missingPermissions,
  refuseForeign,
  refuseIncomplete,
  type TableInspection,
  type WantedIndex,
  type WantedTable,
} from "./driver/sql/inspect.ts";
export { readTable, type SqlTable, type SqlTableRules } from "./driver/sql/table.ts";
export { closing, type FromUrl, openByUrl, readUrl, type UrlRules } from "./driver/url.ts";
export { fieldName } from "./record/field-names.ts";
