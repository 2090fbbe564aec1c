import { runCommand } from "@sessions/create-package";
import { driver } from "./driver.ts";

await runCommand(driver);
