import { spawn } from "node:child_process";
import process from "node:process";

const signals = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);

/**
 * Prints a title and runs one command, with its output shown as it comes. It passes signals on, so that the end of a
 * root command leaves nothing running.
 *
 * @param {string} title Printed first, for the reader.
 * @param {string} command A program of `node_modules/.bin`, `pnpm`, or a path.
 * @param {readonly string[]} args
 * @param {(message: unknown) => void} [onMessage] Gets the child's messages. `command` must then be Node itself.
 * @returns {Promise<number>} The exit code; 0 after a signal to stop.
 */
export function stage(title, command, args, onMessage) {
  console.log(`\n==> ${title}`);
  // On Windows, the programs of node_modules/.bin are .cmd files, which only a shell can start.
  const shell = process.platform === "win32" && command !== process.execPath;
  const child = spawn(command, args, {
    shell,
    stdio: onMessage ? ["inherit", "inherit", "inherit", "ipc"] : "inherit",
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1" },
  });
  if (onMessage) child.on("message", onMessage);

  let stopped = false;
  const stop = (/** @type {NodeJS.Signals} */ signal) => {
    stopped = true;
    child.kill(signal);
  };
  for (const signal of signals) process.on(signal, stop);

  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      for (const signal of signals) process.off(signal, stop);
      resolve(stopped ? 0 : (code ?? 1));
    });
  });
}
