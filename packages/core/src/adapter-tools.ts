// For authors of adapters: what adapters need beside the manager's public interface. Applications do not need it.
export { checkOption, checkOptions } from "./base/options.ts";
export { cookieValues } from "./context/cookie.ts";
export {
  type Adopt,
  type Adopting,
  type AdoptingRequest,
  type Adoption,
  beginAdopting,
} from "./http/adoption.ts";
export {
  checkManager,
  cookieSettingsOf,
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
} from "./http/http.ts";
export {
  createNamedSessions,
  type NamedChange,
  type NamedSession,
  type NamedSessions,
  NameTakenError,
  type Naming,
} from "./manager/named-sessions.ts";
export { CONTROLS, dropLogin, type SessionControls, wasRead, whenPending } from "./session/controls.ts";
export type { ResponseStage } from "./session/response.ts";
