import { project } from "../../vitest.base.ts";

export default project("iron-session");
