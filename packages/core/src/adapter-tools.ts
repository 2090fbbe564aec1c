/** What adapters need beside the manager's own interface. For whoever writes an adapter; applications need nothing of it. */
export { checkOption, checkOptions } from "./check.ts";
export { dropLogin, type ResponseStage, wasRead, whenPending } from "./controls.ts";
export {
  isCrossSiteWrite,
  keepFromCaches,
  mayWriteMore,
  openOptionsOf,
  type RequestFacts,
  type RequestHead,
  type ResponseHeaders,
  reportsError,
  varyByCookie,
  warnOfDroppedLogin,
} from "./http.ts";
