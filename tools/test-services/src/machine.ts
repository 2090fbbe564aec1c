import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import process from "node:process";

/** Whether what is missing is a failure, or is said and skipped. */
export const onCI: boolean = process.env["CI"] === "true";

// Debian keeps servers where only root's PATH looks.
const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];

/** The first of the programs that is on the PATH, as a path; one that is a path already stays it. */
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

/** Whether packages can be installed here without asking anybody: root on Debian or Ubuntu. */
export function canInstall(): boolean {
  return process.getuid?.() === 0 && existsSync("/etc/debian_version");
}

/** Installs a package of the system, having said so; the caller looks whether the program is there. */
export function install(what: string, ...packages: string[]): void {
  const command = ["install", "-y", "--no-install-recommends", ...packages];
  console.log(`No ${what} on this machine: installing one for the tests (apt-get ${command.join(" ")})`);
  for (const args of [["update", "-q"], command])
    spawnSync("apt-get", args, {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
}
