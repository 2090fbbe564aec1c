import { findBrowser, launchBrowser } from "@sessions/test-services/browser";
import type { Browser, BrowserContext } from "playwright-core";
import { cases } from "./cases.ts";
import type { Shop } from "./visitor.ts";

/** The used part of vitest's `test`. */
export interface TestFunction {
  (title: string, fn: () => Promise<void>): unknown;
  skip(title: string, fn: () => Promise<void>): unknown;
  beforeAll(fn: () => Promise<void>): unknown;
  afterAll(fn: () => Promise<void>): unknown;
}

/** Options of `testExample`. */
export interface ExampleOptions {
  readonly test: TestFunction;
  /** Starts the example with its sessions in memory, as `startProgram` does. */
  readonly start: () => Promise<{ readonly url: string; stop(): Promise<void> }>;
  /** Titles of tests that the framework makes impossible, with the reason. They are shown as skipped. */
  readonly exclude?: Readonly<Record<string, string>>;
}

/** A test of an example. */
export interface Case {
  readonly title: string;
  run(shop: Shop, start: ExampleOptions["start"]): Promise<void>;
}

// The pages come from this machine, so an element that is missing after this time will not appear.
const PATIENCE_MS = 20_000;

/** Registers the tests that all examples share, because all have the same shop. */
export function testExample({ test, start, exclude = {} }: ExampleOptions): void {
  const reasons = new Map(Object.entries(exclude));
  for (const title of reasons.keys())
    if (!cases.some((known) => known.title === title))
      throw new Error(`testExample: no test is called "${title}". Correct "exclude".`);

  // `@sessions/test-services/browser-setup` has printed a warning, or has failed the run.
  if (findBrowser() === undefined) {
    for (const { title } of cases) test.skip(title, async () => {});
    return;
  }

  let browser: Browser | undefined;
  let program: Awaited<ReturnType<typeof start>> | undefined;
  test.beforeAll(async () => {
    browser = await launchBrowser();
    program = await start();
  });
  test.afterAll(async () => {
    await browser?.close();
    await program?.stop();
  });

  for (const { title, run } of cases) {
    const reason = reasons.get(title);
    if (reason !== undefined) {
      test.skip(`${title} (${reason})`, async () => {});
      continue;
    }
    test(title, async () => {
      if (!browser || !program) throw new Error("the example did not start");
      const visits = visiting(browser, program.url);
      try {
        await run(visits.shop, start);
      } finally {
        await visits.end();
      }
      const { complaints } = visits;
      if (complaints.length > 0) throw new Error(`The browser complains:\n${complaints.join("\n")}`);
    });
  }
}

/** Makes browsers that share no cookies, and records their complaints. */
function visiting(browser: Browser, url: string): { shop: Shop; complaints: string[]; end(): Promise<void> } {
  const contexts: BrowserContext[] = [];
  const complaints: string[] = [];
  const visit: Shop["visit"] = async ({ cookies = [], ...options } = {}) => {
    const context = await browser.newContext({ baseURL: url, ...options });
    contexts.push(context);
    context.setDefaultTimeout(PATIENCE_MS);
    context.on("console", (message) => {
      // A browser requests an icon that the page does not name.
      const missing = message.text().startsWith("Failed to load resource");
      if (message.type() === "error" && !missing) complaints.push(message.text());
    });
    context.on("weberror", (error) => complaints.push(String(error.error())));
    await context.addCookies(cookies);
    const page = await context.newPage();
    await page.goto("/");
    return page;
  };
  const end = async (): Promise<void> => {
    for (const context of contexts) await context.close();
  };
  return { shop: { url, visit }, complaints, end };
}
