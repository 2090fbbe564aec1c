import { tmpdir } from "node:os";
import { testOn } from "./kit-on.ts";

await testOn(tmpdir());
