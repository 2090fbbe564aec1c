// Runs turbo without its telemetry. A script is needed because not all shells know `VARIABLE=value command`.
import process from "node:process";
import { stage } from "./stage.mjs";

const args = process.argv.slice(2);
process.exitCode = await stage(`turbo ${args.join(" ")}`, "turbo", args);
