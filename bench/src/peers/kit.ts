// The kit exports only the tests of whole adapters. The peers run its cases with a manager of their own, so this file,
// and no other, reaches for the source.
export { cases } from "../../../packages/adapter-conformance/src/cases/index.ts";
export { type Connect, connectHttp1 } from "../../../packages/adapter-conformance/src/client.ts";
export { type Case, missingIn, runCase } from "../../../packages/adapter-conformance/src/kit.ts";
export { PROMISES } from "../../../packages/adapter-conformance/src/promises.ts";
export type {
  Ability,
  Application,
  Reply,
  Rule,
  Server,
  Target,
} from "../../../packages/adapter-conformance/src/target.ts";
