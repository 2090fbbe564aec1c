import { runCommand } from "@sessions/create-package";
import { adapter } from "./adapter.ts";

await runCommand(adapter);
