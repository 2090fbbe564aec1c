import { fork } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Figure } from "../question.ts";

/** Runs one of `programs/` in its own process with a large heap, and returns the message that it sends. */
export async function runProgram(name: string, args: readonly string[]): Promise<Figure> {
  const file = fileURLToPath(new URL(`../programs/${name}.ts`, import.meta.url));
  const child = fork(file, args, {
    execArgv: [...process.execArgv, "--expose-gc", "--max-old-space-size=8192"],
    env: { ...process.env, NODE_ENV: "production", NODE_NO_WARNINGS: "1" },
  });
  let told: Figure | undefined;
  child.on("message", (message) => {
    told = { ...Object(message) };
  });
  const [code] = await once(child, "exit");
  if (code !== 0 || !told) throw new Error(`The program ${name} ${args.join(" ")} ended with ${code}.`);
  return told;
}
