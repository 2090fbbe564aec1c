import process from "node:process";
import { type Browser, type BrowserContext, chromium } from "playwright-core";
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

/** How to start it. */
export interface LaunchOptions {
  /** Switches besides those that every test needs. */
  readonly args?: readonly string[];
  /** Switches of Playwright's own that it is to start without. */
  readonly without?: readonly string[];
}

/** Starts it, headless and without a word to the network. The caller closes it. */
export async function launchBrowser(options: LaunchOptions = {}): Promise<Browser> {
  return chromium.launch(launchOptions(options));
}

/**
 * The same with a profile in a folder, as a person has it: what is stored there is found again by the next start.
 * The caller closes the context, which ends the browser, and removes the folder.
 */
export async function openProfile(directory: string, options: LaunchOptions = {}): Promise<BrowserContext> {
  return chromium.launchPersistentContext(directory, launchOptions(options));
}

function launchOptions({ args = [], without = [] }: LaunchOptions) {
  const executablePath = findBrowser();
  if (executablePath === undefined)
    throw new Error("No browser: ask findBrowser() first, and skip the test.");
  return {
    executablePath,
    ignoreDefaultArgs: [...without],
    args: [
      // Root has no sandbox, and neither have most containers; only our own pages are opened.
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
