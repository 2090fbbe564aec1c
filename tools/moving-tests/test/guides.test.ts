import { readdir } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { browser, docs, programsOf } from "./shops.ts";

const names = (await readdir(docs)).filter(
  (name) => /^from-.*\.md$/.test(name) && name !== "from-express-session.md",
);

describe.each(names)("%s", (guide) => {
  test.each(["before", "after"] as const)("%s: ten requests add to one cart at once", async (version) => {
    const url = await (await programsOf(guide))[version]();
    const { ask } = browser();
    await ask(url, "/cart?item=tea");
    await Promise.all(Array.from({ length: 10 }, (_, i) => ask(url, `/cart?item=item${i}`)));
    const { cart } = Object(await ask(url, "/"));
    if (version === "after") expect(cart).toHaveLength(11);
    else expect(cart.length).toBeLessThan(11);
  });

  test.each(["before", "after"] as const)(
    "%s: a logout while a slow request is under way",
    async (version) => {
      const url = await (await programsOf(guide))[version]();
      const visitor = browser();
      await visitor.ask(url, "/login?name=ada");
      const late = visitor.copy();
      const slow = late.ask(url, "/cart?item=honey%20300");
      await visitor.ask(url, "/"); // the site has read the slow request's session by now
      await visitor.ask(url, "/logout");
      await slow;
      const page = await late.copy().ask(url, "/");
      expect(page).toEqual(version === "after" ? { cart: [] } : { user: "ada", cart: ["honey 300"] });
    },
  );

  test("a visitor who was logged in comes back after the move", async () => {
    const { before, after } = await programsOf(guide);
    const [old, moved] = [await before(), await after()];
    const { ask, jar } = browser();
    await ask(old, "/login?name=ada");
    await ask(old, "/cart?item=tea");
    const [name = ""] = jar.keys();
    expect(await ask(moved, "/")).toEqual({ user: "ada", cart: ["tea"] });
    expect([...jar.keys()]).toEqual(["sid"]);
    await ask(moved, "/cart?item=honey");
    expect(await ask(moved, "/")).toEqual({ user: "ada", cart: ["tea", "honey"] });
    expect(name).not.toBe("sid");
  });
});
