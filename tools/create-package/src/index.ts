/** What the commands that start a package share. */
export type { Kind } from "./kind.ts";
export { main } from "./main.ts";
export { runCommand } from "./terminal.ts";
