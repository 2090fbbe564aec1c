import process from "node:process";
import { start } from "@sessions/kit-command";
import { main, quoted } from "./cli/main.ts";
import { ROOT } from "./cli/root.ts";

const command =
  process.execArgv.length > 0
    ? ["node", ...process.execArgv, process.argv[1] ?? ""].map(quoted).join(" ")
    : "npx @sessions/conformance";

start(
  {
    name: "sessions-conformance",
    calls: "a call of its driver",
    remedy: "Listen to the client's error event, and handle the rejection of every promise",
    root: ROOT,
  },
  (args, io) => main(args, { ...io, command }),
);
