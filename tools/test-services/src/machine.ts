import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import process from "node:process";

/** Whether this is CI, where a missing server or browser is a failure. Elsewhere its tests are skipped. */
export const onCI: boolean = process.env["CI"] === "true";

// Debian keeps servers in folders that only root has on the PATH.
const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];

/** Returns the path of the first program that is on the PATH. Absolute paths are taken as they are. */
export function findProgram(names: readonly string[]): string | undefined {
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

/** Prints a message and installs a package of the system. The caller checks that the program is there. */
export function install(what: string, ...packages: string[]): void {
  const command = ["install", "-y", "--no-install-recommends", ...packages];
  console.log(`No ${what} on this machine: installing one for the tests (apt-get ${command.join(" ")})`);
  for (const args of [["update", "-q"], command])
    spawnSync("apt-get", args, {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
}
