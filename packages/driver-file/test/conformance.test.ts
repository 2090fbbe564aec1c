import { dataFolder } from "@sessions/test-services/data-folder";
import { testOn } from "./kit-on.ts";

await testOn(dataFolder());
