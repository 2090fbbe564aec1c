export { type Backend, createBackend } from "./backend.ts";
export type { Connect } from "./client.ts";
export { listenTo } from "./listen-to.ts";
export { askOver, createServerOver, type Protocol } from "./over-tls.ts";
export {
  type AdapterOptions,
  type Application,
  type Handler,
  type Listener,
  optionsOf,
  type Reply,
  type ResponseEvent,
  type Server,
  type Start,
  type TestFunction,
  type Visit,
} from "./target.ts";
export { type HttpCases, testHttpCases } from "./test-http-cases.ts";
