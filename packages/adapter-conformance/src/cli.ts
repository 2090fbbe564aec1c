import process from "node:process";
import { start } from "@sessions/kit-command";
import { main } from "./cli/main.ts";
import { ROOT } from "./cli/root.ts";

// The kit causes errors on purpose, and adapters warn of them. The report says what counts.
process.removeAllListeners("warning");
start(
  {
    name: "sessions-adapter-conformance",
    calls: "a call of its start()",
    remedy: "Handle the rejection of every promise, and the error event of every stream",
    root: ROOT,
  },
  main,
);
