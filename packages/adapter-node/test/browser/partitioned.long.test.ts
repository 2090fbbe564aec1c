import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import { inBrowser, OTHER, OURS, pages, profile, type Shop, shop, shown, THIRD, visit } from "./support.ts";

/** Opens another site's page with ours in a frame. Returns what the frame shows. */
async function openFrame(page: Page, site: Shop, host: string): Promise<string> {
  const outer = await pages({ "/": `<iframe src="${site.url(OURS)}"></iframe>` });
  await page.goto(outer.url(host));
  return shown(page.frameLocator("iframe"));
}

/** Presses a button in the frame, and waits until the frame shows a text. */
async function pressInFrame(page: Page, name: string, thenShows: string): Promise<void> {
  const frame = page.frameLocator("iframe");
  await frame.getByRole("button", { name, exact: true }).click();
  await frame.getByText(thenShows).waitFor();
}

const partitions = async (page: Page): Promise<unknown[]> =>
  (await page.context().cookies()).map(({ partitionKey }) => partitionKey);

inBrowser("a partitioned cookie, in frames", () => {
  test.each(["blocked", "allowed"] as const)(
    "is another one in each site that frames us, and another one in our own pages (third-party cookies %s)",
    async (third) => {
      const site = await shop({ cookie: { sameSite: "none", partitioned: true } });
      const page = await (await profile(third)).start();
      expect(await openFrame(page, site, OTHER)).toBe("nobody, 0");
      await pressInFrame(page, "/login", "ada, 0");
      await pressInFrame(page, "/write", "ada, 1");
      expect(await openFrame(page, site, THIRD)).toBe("nobody, 0");
      await pressInFrame(page, "/write", "nobody, 1");
      expect(await visit(page, site)).toBe("nobody, 0");
      expect(await openFrame(page, site, OTHER)).toBe("ada, 1");
      expect(await partitions(page)).toEqual([`https://${OTHER}`, `https://${THIRD}`]);
    },
  );

  test("goes with the logout, out of that site's partition alone", async () => {
    const site = await shop({ cookie: { sameSite: "none", partitioned: true } });
    const page = await (await profile("blocked")).start();
    for (const host of [OTHER, THIRD]) {
      await openFrame(page, site, host);
      await pressInFrame(page, "/login", "ada, 0");
    }
    await pressInFrame(page, "/logout", "nobody, 0");
    expect(await partitions(page)).toEqual([`https://${OTHER}`]);
    expect(await openFrame(page, site, OTHER)).toBe("ada, 0");
  });

  test("is given to another site's fetch by its first GET or login: a POST that comes without it is muted", async () => {
    const site = await shop({ cookie: { sameSite: "none", partitioned: true } });
    const page = await (await profile("blocked")).start();
    await page.goto((await pages({ "/": "" })).url(OTHER));
    const post = async (path: string): Promise<number> => {
      await page.evaluate(
        `fetch("${site.url(OURS, path)}", { method: "POST", mode: "no-cors", credentials: "include" })`,
      );
      return (await partitions(page)).length;
    };
    expect(await post("/first/write")).toBe(0);
    expect(site.backend.calls).toEqual([]);
    expect(await post("/login")).toBe(1);
    await post("/second/write");
    expect(await openFrame(page, site, OTHER)).toBe("ada, 1");
  });
});
