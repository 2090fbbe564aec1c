/** The kit that tests an adapter: the promises H1 and on of SPEC.md as cases over real sockets, for any test runner. */
export { type Backend, createBackend } from "./backend.ts";
export type { Connect, Connection, HttpRequest, HttpResponse } from "./client.ts";
export {
  type Report,
  type Result,
  type RunOptions,
  runConformance,
  type TestFunction,
  testAdapter,
} from "./run.ts";
export type {
  Ability,
  AdapterOptions,
  Application,
  Reply,
  Rule,
  Server,
  Target,
  Visit,
} from "./target.ts";
