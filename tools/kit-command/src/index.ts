/** What the commands of the two kits share. */
export { parseCommand, type RunOptions, readRunOptions, UsageError } from "./arguments.ts";
export { exportedTarget } from "./exported.ts";
export { makeFolder, writeFiles } from "./files.ts";
export { isOf, placeOf } from "./place.ts";
export { cut, markdownText, messageOf, nameOf, plain, plainLines, wrap } from "./plain.ts";
export { progress } from "./progress.ts";
export { type Io, runCommand } from "./run-command.ts";
export { start } from "./start.ts";
