import process from "node:process";
import { type Browser, type BrowserContext, chromium } from "playwright-core";
import { findProgram } from "./machine.ts";

const names = ["chromium", "chromium-browser", "google-chrome"];

/**
 * Returns the browser for the tests: `SESSIONS_TEST_CHROMIUM`, or the first of chromium, chromium-browser and
 * google-chrome on the PATH, or `undefined`. Playwright's own download is not used: it is 170 MB from a host that many
 * networks cannot reach.
 */
export function findBrowser(): string | undefined {
  return process.env["SESSIONS_TEST_CHROMIUM"] || findProgram(names);
}

/** How to start the browser. */
export interface LaunchOptions {
  /** Switches to add to those that every test needs. */
  readonly args?: readonly string[];
  /** Playwright's own switches to leave out. */
  readonly without?: readonly string[];
}

/** Starts the browser, headless and without requests of its own to the network. The caller closes it. */
export async function launchBrowser(options: LaunchOptions = {}): Promise<Browser> {
  return chromium.launch(launchOptions(options));
}

/**
 * Starts the browser with a profile in a folder, as a person has it. The next start finds what is stored there. The
 * caller closes the context, which ends the browser, and removes the folder.
 */
export async function openProfile(directory: string, options: LaunchOptions = {}): Promise<BrowserContext> {
  return chromium.launchPersistentContext(directory, launchOptions(options));
}

function launchOptions({ args = [], without = [] }: LaunchOptions) {
  const executablePath = findBrowser();
  if (executablePath === undefined)
    throw new Error("No browser was found. Call findBrowser() first, and skip the test.");
  return {
    executablePath,
    ignoreDefaultArgs: [...without],
    args: [
      // Chromium has no sandbox as root, or in most containers. The tests open only our own pages.
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      ...args,
    ],
  };
}
