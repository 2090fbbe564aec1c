/**
 * What every driver of a remote backend needs, and no policy: options that are checked in one voice, and calls that end.
 * For authors of drivers; applications need nothing of it.
 */
export { milliseconds } from "./base/duration.ts";
export { checkOption, checkOptions, isWhole } from "./base/options.ts";
export { shownError } from "./base/shown-error.ts";
export { type Call, type CallRules, createCall } from "./driver/call.ts";
export { type ClientName, checkClient } from "./driver/clients.ts";
export { selfProvisioning } from "./driver/self-provisioning.ts";
