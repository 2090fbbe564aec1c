import { project } from "../../vitest.base.ts";

export default project("express-tests", {
  // Half of a run would be the start of a worker for each file.
  isolate: false,
});
