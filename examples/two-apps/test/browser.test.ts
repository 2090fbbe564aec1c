import { EventEmitter, once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { findBrowser, launchBrowser } from "@sessions/test-services/browser";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { startSite } from "./start.ts";

type Browser = Awaited<ReturnType<typeof launchBrowser>>;
type Page = Awaited<ReturnType<Browser["newPage"]>>;

/** A phone, whose width every page must fit. */
const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };

interface Measured {
  width: number;
  wanted: number;
  small: string[];
}
/** Runs in the page. What a thumb has to hit is at least 44 pixels high. */
const measure = `({
  width: innerWidth,
  wanted: document.documentElement.scrollWidth,
  small: [...document.querySelectorAll("button, .button, nav a, input:not([type=hidden]), summary, .row")]
    .filter((each) => each.checkVisibility() && each.getBoundingClientRect().height < 44)
    .map((each) => each.textContent),
})`;

describe.skipIf(findBrowser() === undefined)("in a browser", () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchBrowser();
  });

  afterAll(() => browser?.close());

  /** A device of its own: no cookies yet. What breaks the content security policy fails the test. */
  async function device(url: string, options: Parameters<Browser["newContext"]>[0] = {}): Promise<Page> {
    const context = await browser.newContext({ baseURL: url, ...options });
    const page = await context.newPage();
    const complaints: string[] = [];
    context.on("console", (message) => {
      // A refused form is no fault of the page.
      const isStatus = message.text().startsWith("Failed to load resource");
      if (message.type() === "error" && !isStatus) complaints.push(message.text());
    });
    context.on("weberror", (error) => complaints.push(String(error.error())));
    onTestFinished(async () => {
      await context.close();
      expect(complaints).toEqual([]);
    });
    return page;
  }

  async function signIn(page: Page, name: string): Promise<void> {
    await page.goto("/account");
    await page.getByLabel("Name").fill(name);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText(`Welcome, ${name}.`).waitFor();
  }

  test("log out everywhere on one device, and the other is out at its next click", async () => {
    const { url } = await startSite();
    const laptop = await device(url);
    const tablet = await device(url, phone);
    await tablet.goto("/shop");
    await tablet.getByRole("button", { name: "Add Wild honey" }).click();
    await signIn(tablet, "ada");
    await signIn(laptop, "ada");
    await laptop.getByText("this one").waitFor();
    expect(await laptop.getByRole("button", { name: /^End session/ }).count()).toBe(1);

    await laptop.getByRole("button", { name: "Log out everywhere" }).click();
    await laptop.getByRole("heading", { name: "Signed out" }).waitFor();
    expect(await laptop.context().cookies()).toEqual([]);

    await tablet.getByRole("link", { name: "Account" }).click();
    await tablet.getByRole("heading", { name: "Sign in" }).waitFor();
    await tablet.getByRole("link", { name: "Shop" }).click();
    await tablet.getByText("Empty so far.").waitFor();
  });

  test("the foot of the page notices by itself that the session has ended elsewhere", async () => {
    const { url, sessions } = await startSite();
    const page = await device(url);
    await signIn(page, "ada");
    const foot = page.locator("footer");
    await foot.getByText(/^in (1:)?\d\d:\d\d/).waitFor();
    await sessions.destroyAll({ principal: "ada" });
    await foot.getByText("This session has ended.").waitFor();
  });

  test("two tabs save their drafts by themselves, and a posted one does not come back", async () => {
    const { url } = await startSite();
    const first = await device(url);
    await signIn(first, "ada");
    const second = await first.context().newPage();
    for (const tab of [first, second]) await tab.goto("/forum/new");
    await Promise.all([
      first.getByLabel("Title").fill("From the first tab"),
      second.getByLabel("Title").fill("From the second tab"),
    ]);
    for (const tab of [first, second]) await tab.getByText("Saved.").waitFor();

    // Posted while the last words are still on their way.
    const network = new EventEmitter();
    await first.route("**/autosave", async (route) => {
      await once(network, "goes on");
      await route.continue();
    });
    await first.getByLabel("Text").fill("Last words");
    await first.getByText("Saving…").waitFor();
    await first.getByRole("button", { name: "Post as ada" }).click();
    network.emit("goes on");
    await first.getByText("Posted.").waitFor();
    await first.goto("/forum");
    expect(await first.locator(".rows li").allInnerTexts()).toEqual([
      expect.stringContaining("From the second tab"),
    ]);
    expect(await first.locator("article").first().textContent()).toContain("Last words");
  });

  test("a form of another site does nothing", async () => {
    const { url } = await startSite();
    const page = await device(url);
    await signIn(page, "ada");
    const evil = createServer((socket) => {
      const body = `<form method="post" action="${url}/account/sign-out"><button>Win a prize</button></form>`;
      socket.end(`HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n${body}`);
    });
    await new Promise<void>((resolve) => evil.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void evil.close());
    const elsewhere = await page.context().newPage();
    await elsewhere.goto(`http://localhost:${(evil.address() as AddressInfo).port}`);
    const [response] = await Promise.all([
      elsewhere.waitForResponse(`${url}/account/sign-out`),
      elsewhere.getByRole("button").click(),
    ]);
    expect(response.status()).toBe(403);
    await elsewhere.close();
    await page.reload();
    await page.getByRole("heading", { name: "Your sessions" }).waitFor();
  });

  test.each(["light", "dark"] as const)("every page fits a phone, in %s", async (colorScheme) => {
    const { url } = await startSite();
    const page = await device(url, { ...phone, colorScheme });
    await page.goto("/shop");
    await page.getByRole("button", { name: "Add Mountain tea" }).click();
    await signIn(page, `${"W".repeat(39)}.`);
    for (const path of [
      "/",
      "/shop",
      "/forum",
      "/forum/drafts/0000000000aa",
      "/account",
      "/account/signed-out",
    ]) {
      await page.goto(path);
      const { width, wanted, small } = await page.evaluate<Measured>(measure);
      expect(wanted, path).toBeLessThanOrEqual(width);
      expect(small, path).toEqual([]);
    }
  });

  test("everything works without JavaScript", async () => {
    const { url } = await startSite();
    const page = await device(url, { ...phone, javaScriptEnabled: false });
    await page.goto("/shop");
    await page.getByRole("button", { name: "Add Mountain tea" }).click();
    await page.getByRole("button", { name: "One Mountain tea more" }).click();
    await page.getByText("€13.80").first().waitFor();
    await page.goto("/forum/new");
    await page.getByLabel("Title").fill("By hand");
    await page.getByRole("button", { name: "Save for later" }).click();
    await page.getByText("Draft saved.").waitFor();
    await signIn(page, "ada");
    expect(await page.locator("footer dl").textContent()).toMatch(/Expires\s*in \d+ (hours|minutes)/);
  });
});
