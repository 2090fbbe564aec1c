import { project } from "../../vitest.base.ts";

// Many tests run the whole kit, which takes seconds, and more beside other work.
export default project("conformance", { testTimeout: 30_000 });
