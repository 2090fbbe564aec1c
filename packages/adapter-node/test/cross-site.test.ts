import { describe, expect, test } from "vitest";
import { writing } from "./finishes.ts";
import { ask, servers, stored, visitor } from "./support.ts";

for (const [name, start] of Object.entries(servers)) {
  describe(name, () => {
    describe("a request from another site without a cookie", () => {
      const crossSite = { "Sec-Fetch-Site": "cross-site" };
      const start1 = () => start(writing(2, ({ res }) => res.end("fine")));

      test.each(["POST", "PUT", "DELETE", "PATCH"])(
        "by %s stores nothing and is given no cookie",
        async (method) => {
          const app = await start1();
          const answer = await ask(app.port, { method, headers: crossSite });
          expect([answer.status, answer.cookies, app.backend.calls]).toEqual([200, [], []]);
        },
      );

      test("by GET is a followed link, and may begin a session", async () => {
        const app = await start1();
        expect((await ask(app.port, { headers: crossSite })).cookies).toHaveLength(1);
      });

      test("by GET stores nothing where the cookie is SameSite=Strict", async () => {
        const app = await start(
          writing(2, ({ res }) => res.end()),
          { cookie: { sameSite: "strict" } },
        );
        expect((await ask(app.port, { headers: crossSite })).cookies).toEqual([]);
        expect((await ask(app.port, { headers: { "Sec-Fetch-Site": "same-origin" } })).cookies).toHaveLength(
          1,
        );
      });

      test("with our cookie is treated as any other", async () => {
        const app = await start1();
        const cookie = await visitor(app);
        await ask(app.port, { method: "POST", headers: { ...crossSite, cookie } });
        expect(await stored(app, cookie)).toBe(2);
      });

      test.each(["same-origin", "same-site", "none"])("does not include Sec-Fetch-Site: %s", async (site) => {
        const app = await start1();
        const answer = await ask(app.port, { method: "POST", headers: { "Sec-Fetch-Site": site } });
        expect(answer.cookies).toHaveLength(1);
      });
    });
  });
}
