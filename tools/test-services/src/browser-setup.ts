import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import { findBrowser } from "./browser.ts";

const install = "apt-get install -y --no-install-recommends chromium";

/**
 * A vitest `globalSetup` for projects whose tests need a browser. Without one, CI (`CI=true`) installs it where it
 * may (root on Debian) and fails where it may not; a contributor is told, and those tests are skipped.
 */
export function setup(): void {
  if (findBrowser()) return;
  const ci = process.env["CI"] === "true";
  if (ci && process.getuid?.() === 0 && existsSync("/etc/debian_version")) {
    console.log(`No browser on this machine: installing one for the browser tests (${install})`);
    apt("update", "-q");
    apt(...install.split(" ").slice(1));
    if (findBrowser()) return;
  }
  const missing =
    "no Chromium was found. Install one (on Debian and Ubuntu: " +
    `sudo ${install}), or name its program in SESSIONS_TEST_CHROMIUM.`;
  if (ci) throw new Error(`The browser tests must run on CI, but ${missing}`);
  console.warn(`\n  THE BROWSER TESTS ARE SKIPPED: ${missing}\n`);
}

function apt(...args: string[]): void {
  spawnSync("apt-get", args, {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
}
