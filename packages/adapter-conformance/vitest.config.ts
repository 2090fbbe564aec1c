import { project } from "../../vitest.base.ts";

export default project("adapter-conformance", {
  // Of the faulty adapters: their cases wait more than they compute.
  maxConcurrency: 10,
});
