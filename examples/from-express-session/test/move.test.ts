import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { freePort, type Program, startProgram } from "@sessions/example-tests";
import { findBrowser, launchBrowser } from "@sessions/test-services/browser";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

type Browser = Awaited<ReturnType<typeof launchBrowser>>;
type Page = Awaited<ReturnType<Browser["newPage"]>>;

const DAY_S = 24 * 3600;

describe.skipIf(findBrowser() === undefined)("a site that moves, seen by a browser", () => {
  let browser: Browser;
  let folder: string;
  let port: number;
  let running: Program | undefined;

  beforeAll(async () => {
    browser = await launchBrowser();
    folder = await mkdtemp(join(tmpdir(), "from-express-session-"));
    port = await freePort();
  });

  afterAll(async () => {
    await browser?.close();
    await running?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** Replaces one version of the site by another on the same port. */
  async function deploy(file: string, env: NodeJS.ProcessEnv = {}): Promise<void> {
    await running?.stop();
    running = await startProgram({
      command: process.execPath,
      args: ["--conditions=@sessions/source", `--import=${import.meta.resolve("tsx")}`, `src/${file}`],
      cwd: fileURLToPath(new URL("../", import.meta.url)),
      env: { PORT: String(port), SESSIONS_FOLDER: folder, SESSION_SECRET: "for this test", ...env },
      ready: /http:\/\/localhost:\d+/,
    });
  }

  /** Opens a new browser, optionally with a copy of another's cookies. */
  async function visit(cookies: Awaited<ReturnType<typeof cookiesOf>> = []): Promise<Page> {
    const context = await browser.newContext({ baseURL: `http://localhost:${port}` });
    await context.addCookies(cookies);
    const page = await context.newPage();
    await page.goto("/");
    return page;
  }
  const cookiesOf = (page: Page) => page.context().cookies();
  const namesOf = async (page: Page) => (await cookiesOf(page)).map(({ name }) => name);

  async function logIn(page: Page, name: string): Promise<void> {
    await page.getByLabel("Name").fill(name);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText(`Signed in as ${name}`).waitFor();
  }
  async function add(page: Page, item: string): Promise<void> {
    await page.getByLabel("Item").fill(item);
    await page.getByRole("button", { name: "Add" }).click();
    await page.getByRole("listitem").filter({ hasText: item }).waitFor();
  }
  async function logOut(page: Page): Promise<void> {
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByRole("button", { name: "Log in" }).waitFor();
  }
  const items = (page: Page) => page.getByRole("listitem").allTextContents();

  test("who is logged in stays so, with the cart, and has another cookie", async () => {
    await deploy("before.ts");
    const ada = await visit();
    expect(await namesOf(ada)).toEqual([]);
    await add(ada, "tea");
    await logIn(ada, "Ada");
    await add(ada, "honey");
    const guest = await visit();
    await add(guest, "bread");
    const bob = await visit();
    await logIn(bob, "Bob");
    expect(await namesOf(ada)).toEqual(["connect.sid"]);
    const copied = await cookiesOf(ada);

    await deploy("after.ts");
    await ada.reload();
    expect(await ada.getByText("Signed in as Ada").count()).toBe(1);
    expect(await items(ada)).toEqual(["tea", "honey"]);
    const [ours, ...others] = await cookiesOf(ada);
    expect(others).toEqual([]);
    expect(ours).toMatchObject({ name: "sid", path: "/", httpOnly: true, sameSite: "Lax", secure: false });
    const left = (ours?.expires ?? 0) - Date.now() / 1000;
    expect(left).toBeGreaterThan(29 * DAY_S);
    expect(left).toBeLessThanOrEqual(30 * DAY_S);

    // A copy of the old cookie opens nothing, and its requests do not change Ada's session.
    const thief = await visit(copied);
    expect(await thief.getByRole("button", { name: "Log in" }).count()).toBe(1);
    expect(await items(thief)).toEqual([]);
    expect(await namesOf(thief)).toEqual(["connect.sid"]);

    // A cart without a login moves too.
    await guest.reload();
    expect(await items(guest)).toEqual(["bread"]);
    expect(await namesOf(guest)).toEqual(["sid"]);

    // Bob logs out at once.
    await logOut(bob);
    await bob.reload();
    expect(await bob.getByRole("button", { name: "Log in" }).count()).toBe(1);
    expect(await namesOf(bob)).toEqual([]);

    // The move has ended.
    await deploy("after.ts", { ADOPT: "no" });
    await ada.reload();
    await add(ada, "bread");
    expect(await items(ada)).toEqual(["tea", "honey", "bread"]);
    await logOut(ada);
    await ada.reload();
    expect(await ada.getByRole("button", { name: "Log in" }).count()).toBe(1);
    expect(await namesOf(ada)).toEqual([]);
  });
});
