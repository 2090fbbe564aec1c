/** What adapters need beside the manager's own interface. For whoever writes an adapter; applications need nothing of it. */
export { checkOption, checkOptions } from "./base/options.ts";
export {
  keepFromCaches,
  mayWriteMore,
  openOptionsOf,
  type RequestFacts,
  type ResponseHeaders,
  reportsError,
  varyByCookie,
  warnOfDroppedLogin,
} from "./http/http.ts";
export { dropLogin, type ResponseStage, wasRead, whenPending } from "./session/controls.ts";
