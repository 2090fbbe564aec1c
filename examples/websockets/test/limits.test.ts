import { describe, expect, test } from "vitest";
import { libraries, startShop, Visitor } from "./support.ts";

const post = (
  url: string,
  path: string,
  cookie: string,
  headers: Record<string, string>,
): Promise<Response> =>
  fetch(url + path, {
    method: "POST",
    redirect: "manual",
    headers: { cookie, ...headers },
    body: new URLSearchParams({ item: "poison", name: "mallory" }),
  });

describe("a form", () => {
  test.each([
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { origin: "https://evil.example" },
    { origin: "null" },
  ])("of another site's page does nothing: %j", async (headers) => {
    const { url, backend } = await startShop();
    const visitor = new Visitor(url);
    await visitor.post("/cart", { item: "tea" });
    const { cookie = "" } = visitor;
    backend.calls = [];
    for (const path of ["/cart", "/login", "/logout"])
      expect((await post(url, path, cookie, headers as Record<string, string>)).status).toBe(403);
    expect(backend.calls).toEqual([]);
    const page = await visitor.page();
    expect(page).toContain("<li>tea</li>");
    expect(page).not.toContain("mallory");
  });

  test("of our own page works, and one that no browser sent", async () => {
    const { url } = await startShop();
    for (const headers of [{}, { origin: url }, { origin: url, "sec-fetch-site": "same-origin" }])
      expect((await post(url, "/cart", "", headers)).status).toBe(303);
  });
});

test.each(Object.entries(libraries))(
  "a socket by %s whose messages pile up is cut, and no other",
  async (_, connect) => {
    const { url, backend } = await startShop();
    const visitor = new Visitor(url);
    await visitor.post("/cart", { item: "tea" });
    const [flood, quiet] = [connect(url, visitor.cookie), connect(url, visitor.cookie)];
    await flood.next();
    await quiet.next();
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    backend.afterLoad = () => held;
    for (let n = 0; n < 1000; n++) flood.send({ add: `poison ${n}` });
    await flood.closed;
    backend.calls = [];
    goOn();
    quiet.send({});
    expect(await quiet.next()).toHaveProperty("items");
    expect(backend.calls.filter((call) => call === "load").length).toBeLessThan(150);
  },
);
