import process from "node:process";
import { type Browser, chromium } from "playwright-core";
import { findProgram } from "./machine.ts";

const names = ["chromium", "chromium-browser", "google-chrome"];

/**
 * The browser to test with: `SESSIONS_TEST_CHROMIUM`, else the first of chromium, chromium-browser and
 * google-chrome on the PATH, else `undefined`. Playwright's own download is not used: it is 170 MB from a host
 * that many networks do not reach.
 */
export function findBrowser(): string | undefined {
  return process.env["SESSIONS_TEST_CHROMIUM"] || findProgram(names);
}

/** Starts it, headless and without a word to the network. The caller closes it. */
export async function launchBrowser(): Promise<Browser> {
  const executablePath = findBrowser();
  if (executablePath === undefined)
    throw new Error("No browser: ask findBrowser() first, and skip the test.");
  return chromium.launch({
    executablePath,
    args: [
      // Root has no sandbox, and neither have most containers; only our own pages are opened.
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}
