import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import process from "node:process";
import { newest } from "./newest.ts";

/** On CI a missing server or browser is a failure. Elsewhere its tests are skipped with a warning. */
export const onCI: boolean = process.env["CI"] === "true";

// Debian keeps servers in folders that only root's PATH has.
const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];

/**
 * Returns the path of the first program that is among the newest servers, where a run is to use them, or else on the
 * PATH. A name that is a path already stays as it is.
 */
export function findProgram(names: readonly string[]): string | undefined {
  return (newest && findIn([join(newest, "programs")], names)) ?? findIn(folders, names);
}

/** Says where such a program was found. */
export const FOUND: string = newest ? "newest servers" : "program on the PATH";

function findIn(folders: readonly string[], names: readonly string[]): string | undefined {
  return names
    .flatMap((name) => (isAbsolute(name) ? [name] : folders.map((folder) => join(folder, name))))
    .find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Whether packages can be installed without a password: as root on Debian or Ubuntu. */
export function canInstall(): boolean {
  return process.getuid?.() === 0 && existsSync("/etc/debian_version");
}

/** Prints a line and installs a package of the system. The caller checks whether the program is there. */
export function install(what: string, ...packages: string[]): void {
  const command = ["install", "-y", "--no-install-recommends", ...packages];
  console.log(`No ${what} on this machine: installing one for the tests (apt-get ${command.join(" ")})`);
  for (const args of [["update", "-q"], command])
    spawnSync("apt-get", args, {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
}
