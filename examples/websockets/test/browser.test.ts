import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { findBrowser, launchBrowser } from "@sessions/test-services/browser";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { startShop } from "./support.ts";

type Browser = Awaited<ReturnType<typeof launchBrowser>>;
type Page = Awaited<ReturnType<Browser["newPage"]>>;

describe.skipIf(findBrowser() === undefined)("in a browser", () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchBrowser();
  });

  afterAll(() => browser?.close());

  /** A visitor who has tea in the cart, and shows it in two tabs, each with its socket. */
  async function twoTabs(url: string, path: string): Promise<[Page, Page]> {
    const context = await browser.newContext({ baseURL: url });
    onTestFinished(() => context.close());
    // Our own pages: what is not there by then does not come.
    context.setDefaultTimeout(20_000);
    const first = await context.newPage();
    await first.goto("/");
    await addItem(first, "tea");
    const second = await context.newPage();
    for (const page of [first, second]) {
      await page.goto(path);
      await page.getByText("Live", { exact: true }).waitFor();
    }
    return [first, second];
  }

  async function addItem(page: Page, item: string): Promise<void> {
    await page.getByLabel("Item").fill(item);
    await page.getByRole("button", { name: "Add" }).click();
    await page.getByRole("listitem").filter({ hasText: item }).waitFor();
  }

  describe.each([
    { library: "ws", path: "/" },
    { library: "Socket.IO", path: "/socket-io" },
  ])("by $library", ({ path }) => {
    test("the socket of one tab is closed when the other logs out", async () => {
      const [first, second] = await twoTabs((await startShop()).url, path);
      await addItem(first, "honey");
      await second.getByRole("button", { name: "Look again" }).click();
      await second.getByRole("listitem").filter({ hasText: "honey" }).waitFor();

      await second.getByLabel("Name").fill("Ada");
      await second.getByRole("button", { name: "Log in" }).click();
      await second.getByText("Signed in as Ada").waitFor();
      // The first tab's socket was the old session's. It loads the page again, and has the new one.
      await first.getByText("Signed in as Ada").waitFor();
      await first.getByText("Live", { exact: true }).waitFor();
      expect(await first.getByRole("listitem").allTextContents()).toEqual(["tea", "honey"]);

      await second.getByRole("button", { name: "Log out" }).click();
      await first.getByRole("button", { name: "Log in" }).waitFor();
      expect(await first.getByRole("listitem").count()).toBe(0);
    });
  });

  test("a page of another origin, to which the browser adds our cookie, gets no socket", async () => {
    const { url, backend } = await startShop();
    const [page] = await twoTabs(url, "/");
    // The same site by name, so SameSite holds nothing back; another port, so another origin.
    const evil = createServer((_req, res) => res.end("<title>Evil</title>")).listen(0, "127.0.0.1");
    await once(evil, "listening");
    onTestFinished(() => void evil.close().closeAllConnections());
    await page.goto(`http://localhost:${(evil.address() as AddressInfo).port}`);
    expect(await page.context().cookies(url)).toHaveLength(1);
    backend.calls = [];
    const opened = await page.evaluate(
      `new Promise((resolve) => {
        const socket = new WebSocket("${url.replace("http", "ws")}/live");
        socket.onopen = () => resolve(true);
        socket.onerror = () => resolve(false);
      })`,
    );
    expect(opened).toBe(false);
    expect(backend.calls).toEqual([]);
  });
});
