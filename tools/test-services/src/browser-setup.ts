import { findBrowser } from "./browser.ts";
import { canInstall, install, onCI } from "./machine.ts";

/**
 * A vitest `globalSetup` for projects whose tests need a browser. If it is missing, CI (`CI=true`) installs it as root on
 * Debian, and fails elsewhere. On other machines a message says what is missing, and those tests are skipped.
 */
export function setup(): void {
  if (findBrowser()) return;
  if (onCI && canInstall()) {
    install("browser", "chromium");
    if (findBrowser()) return;
  }
  const missing =
    "no Chromium was found. Install one (on Debian and Ubuntu: " +
    "sudo apt-get install -y --no-install-recommends chromium), or name its program in SESSIONS_TEST_CHROMIUM.";
  if (onCI) throw new Error(`The browser tests must run on CI, but ${missing}`);
  console.warn(`\n  THE BROWSER TESTS ARE SKIPPED: ${missing}\n`);
}
