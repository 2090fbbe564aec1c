// turbo without its telemetry, on every system: a variable before the command is not understood by all shells.
import process from "node:process";
import { stage } from "./stage.mjs";

const args = process.argv.slice(2);
process.exitCode = await stage(`turbo ${args.join(" ")}`, "turbo", args);
