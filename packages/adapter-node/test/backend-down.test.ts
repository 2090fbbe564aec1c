import { Readable } from "node:stream";
import { isSessionError } from "@sessions/core";
import { describe, expect, test } from "vitest";
import { FINISHES, writing } from "./finishes.ts";
import { ask, gate, servers, stored, visitor } from "./support.ts";

const big = "x".repeat(300_000);

for (const [name, start] of Object.entries(servers)) {
  describe(name, () => {
    describe("a backend that is down", () => {
      test("at the read is an error, and no fresh session", async () => {
        let handled = false;
        const app = await start(({ res }) => {
          handled = true;
          res.end();
        });
        const cookie = await visitor(app);
        app.backend.down.add("load");
        const answer = await ask(app.port, { headers: { cookie } });
        expect([answer.status, answer.text, handled]).toEqual([500, "error page", false]);
        expect(answer.cookies).toEqual([]);
        expect(app.errors).toHaveLength(1);
        expect(isSessionError(app.errors[0], "ERR_SESSION_UNAVAILABLE")).toBe(true);
      });

      const text = name === "node:http" ? "Internal Server Error" : "error page";

      test.each(Object.entries(FINISHES))("at the commit takes the response back: %s", async (_, finish) => {
        const app = await start(
          writing(2, (visit) => {
            visit.res.setHeader("X-Handler", "yes");
            visit.res.statusMessage = "Splendid";
            visit.res.setHeader("Cache-Control", "public, max-age=3600");
            visit.res.setHeader("Set-Cookie", "welcome=1");
            // The handler may wait for ever after the response was taken back; this test does not check that.
            Promise.resolve(finish(visit)).catch(() => undefined);
          }),
        );
        app.backend.down.add("create");
        const answer = await ask(app.port);
        expect([answer.status, answer.text]).toEqual([500, text]);
        expect(answer.cookies).toEqual([]);
        expect(answer.headers).not.toHaveProperty("x-handler");
        expect(answer.headers).not.toHaveProperty("x-own");
        expect(answer.headers).not.toHaveProperty("cache-control");
        expect(answer.statusMessage).toBe("Internal Server Error");
        expect(app.errors).toHaveLength(1);
        expect(isSessionError(app.errors[0], "ERR_SESSION_UNAVAILABLE")).toBe(true);
      });

      test("at every commit, that of the error page too, ends in one error page", async () => {
        const app = await start(
          writing(2, ({ res }) => res.end("done")),
          { touchEvery: 0 },
        );
        const cookie = await visitor(app);
        app.backend.down.add("commit");
        const answer = await ask(app.port, { headers: { cookie } });
        expect([answer.status, answer.text, answer.cookies]).toEqual([500, text, []]);
        expect(app.errors).toHaveLength(1);
      });

      test("when the headers are out cuts the connection, so no client takes a part for the whole", async () => {
        const app = await start(async ({ res, session }) => {
          res.write("first half ");
          await written.opened;
          session.store("app").set("n", 2);
          res.end("second half");
        });
        const written = gate();
        const cookie = await visitor(app);
        app.backend.down.add("commit");
        let came = "";
        const answer = ask(app.port, {
          headers: { cookie },
          onData: (soFar) => {
            came = soFar;
            written.open();
          },
        });
        await expect(answer).rejects.toThrow(/aborted|socket hang up|ECONNRESET/);
        expect(came).toBe("first half ");
        expect(app.errors).toHaveLength(1);
        app.backend.down.clear();
        expect(await stored(app, cookie)).toBe(1);
      });

      test("for a moment: the next request works again", async () => {
        const app = await start(writing(2, ({ res }) => res.end("done")));
        const cookie = await visitor(app);
        app.backend.down.add("commit");
        expect((await ask(app.port, { headers: { cookie } })).status).toBe(500);
        app.backend.down.clear();
        expect((await ask(app.port, { headers: { cookie } })).status).toBe(200);
        expect(await stored(app, cookie)).toBe(2);
      });

      test("and a handler that goes on writing: its late chunks are dropped", async () => {
        const late = gate();
        const finished = gate();
        const app = await start(async ({ res, session }) => {
          session.store("app").set("n", 2);
          res.write("a chunk");
          await late.opened;
          res.write("a late chunk");
          res.end("and its end");
          res.end("twice");
          finished.open();
        });
        app.backend.down.add("create");
        const answer = await ask(app.port);
        late.open();
        await finished.opened;
        expect(answer.text).toBe(text);
        expect((await ask(app.port, { method: "HEAD" })).status).toBe(500);
      });

      test("stops what was piped into the response", async () => {
        const source = Readable.from([big, big, big]);
        const app = await start(writing(2, ({ res }) => source.pipe(res)));
        app.backend.down.add("create");
        expect((await ask(app.port)).text).toBe(text);
      });
    });
  });
}
