import net from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { isSessionError } from "@sessions/core";
import { describe, expect, test } from "vitest";
import { writing } from "./finishes.ts";
import {
  type App,
  ask,
  cookieOf,
  gate,
  type Handler,
  servers,
  stored,
  type Visit,
  visitor,
} from "./support.ts";

const big = "x".repeat(300_000);

for (const [name, start] of Object.entries(servers)) {
  describe(name, () => {
    describe("a streamed response", () => {
      test("is complete only when what was written midway is committed", async () => {
        const halfway = gate();
        const app = await start(async ({ res, session }) => {
          session.store("app").set("n", 2);
          res.write("first ");
          await halfway.opened;
          session.store("app").set("n", 3);
          res.end("second");
        });
        app.backend.beforeWrite = () => new Promise((resolve) => setTimeout(resolve, 20));
        const answer = await ask(app.port, { onData: halfway.open });
        expect(answer.text).toBe("first second");
        expect(await stored(app, cookieOf(answer))).toBe(3);
        expect(app.backend.calls.slice(0, 2)).toEqual(["create", "commit"]);
      });

      test("with a Content-Length sends its last byte only after that commit", async () => {
        const halfway = gate();
        const app = await start(async ({ res, session }) => {
          res.writeHead(200, { "Content-Length": 12 });
          res.write("first ");
          await halfway.opened;
          session.store("app").set("n", 3);
          res.write("second");
          // Not ended: the client has all the bytes that Content-Length promised.
        });
        const cookie = await visitor(app);
        app.backend.beforeWrite = () => new Promise((resolve) => setTimeout(resolve, 20));
        const answer = await ask(app.port, { headers: { cookie }, onData: halfway.open });
        expect(answer.text).toBe("first second");
        expect(await stored(app, cookie)).toBe(3);
      });

      test("refuses a first write when the headers are out, at the call", async () => {
        const halfway = gate();
        let thrown: unknown;
        const app = await start(async ({ res, session }) => {
          res.write("first ");
          await halfway.opened;
          try {
            session.store("app").set("n", 2);
          } catch (error) {
            thrown = error;
          }
          res.end("second");
        });
        const answer = await ask(app.port, { onData: halfway.open });
        expect(answer.text).toBe("first second");
        expect(isSessionError(thrown, "ERR_SESSION_HEADERS_SENT")).toBe(true);
        expect(app.backend.calls).toEqual([]);
      });

      test("returns false from write when it is full, and emits drain", async () => {
        const app = await start(async ({ res, session }) => {
          session.store("app").set("n", 2);
          expect(res.write("a")).toBe(true);
          expect(res.write(big)).toBe(false);
          await new Promise((resolve) => res.once("drain", resolve));
          for (let i = 1; i < 20; i++)
            if (!res.write(big)) await new Promise((resolve) => res.once("drain", resolve));
          res.end();
        });
        expect((await ask(app.port)).body.length).toBe(20 * big.length + 1);
      });

      test("that is large arrives whole, in order", async () => {
        const parts = Array.from({ length: 50 }, (_, i) => String(i % 10).repeat(50_000));
        const app = await start(writing(2, ({ res }) => pipeline(Readable.from(parts), res)));
        expect((await ask(app.port)).text).toBe(parts.join(""));
      });
    });

    describe("what is written after res.end()", () => {
      /** A response whose handler writes once more when the client has all of it. */
      async function late(
        before: Handler,
        options: { down?: boolean } = {},
      ): Promise<App & { cookie: string }> {
        const arrived = gate();
        const over = gate();
        const app = await start(async (visit) => {
          await before(visit);
          visit.res.end("whole");
          await arrived.opened;
          if (options.down) app.backend.down.add("commit");
          visit.session.store("app").set("n", 6);
          over.open();
        });
        const cookie = await visitor(app);
        expect((await ask(app.port, { headers: { cookie } })).text).toBe("whole");
        arrived.open();
        await over.opened;
        return { ...app, cookie };
      }

      test("to a session that the client has is committed", async () => {
        const app = await start(({ res, session }) => {
          res.end();
          session.store("app").set("n", 5);
        });
        const cookie = await visitor(app);
        await ask(app.port, { headers: { cookie } });
        await expect.poll(() => stored(app, cookie)).toBe(5);
      });

      test.each([
        ["read", ({ session }: Visit) => session.store("app").get("n")],
        ["written", ({ session }: Visit) => session.store("app").set("other", 1)],
      ])("long after it, where the session was %s before, too", async (_what, before) => {
        const { cookie, ...app } = await late(before);
        await expect.poll(() => stored(app, cookie)).toBe(6);
      });

      test("where that fails there is a warning, and the next request is served", async () => {
        const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
        const { cookie, ...app } = await late(() => {}, { down: true });
        expect((await warned).message).toContain("commit is down");
        expect(await stored(app, cookie)).toBe(1);
      });

      test("to a session whose cookie the client does not have throws at the call", async () => {
        let thrown: unknown;
        const app = await start(({ res, session }) => {
          res.end();
          try {
            session.store("app").set("n", 5);
          } catch (error) {
            thrown = error;
          }
        });
        await ask(app.port);
        expect(isSessionError(thrown, "ERR_SESSION_HEADERS_SENT")).toBe(true);
      });
    });

    test("what a guest writes in any later turn is dropped, however slow the client is", async () => {
      const written = gate();
      const thrown: unknown[] = [];
      const app = await start(async ({ res, session, req }) => {
        res.end(big.repeat(50));
        await Promise.resolve();
        for (const n of [1, 2]) {
          try {
            session.store("app").set("n", n);
          } catch (error) {
            thrown.push(error);
          }
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
        expect([req.method, res.writableFinished]).toEqual(["GET", false]);
        written.open();
      });
      const socket = net.connect(app.port, "127.0.0.1");
      socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      await written.opened;
      socket.destroy();
      expect([thrown, app.backend.calls]).toEqual([[], []]);
    });

    describe("a response that waits for its commit looks sent to the handler", () => {
      test.each([
        ["that waits", 2],
        ["that need not wait", undefined],
      ])("headersSent and writableEnded of one %s say so, and headers can no longer be set", async (_, n) => {
        const seen: unknown[] = [];
        const app = await start(({ res, session }) => {
          if (n !== undefined) session.store("app").set("n", n);
          seen.push(res.headersSent, res.writableEnded);
          res.write("a");
          seen.push(res.headersSent, res.writableEnded);
          for (const change of [
            () => res.setHeader("X-Late", "1"),
            () => res.appendHeader("X-Late", "1"),
            () => res.removeHeader("Date"),
            () => res.writeHead(500),
          ]) {
            try {
              change();
              seen.push("allowed");
            } catch (error) {
              seen.push((error as NodeJS.ErrnoException).code);
            }
          }
          res.statusCode = 500;
          res.end("b");
          seen.push(res.writableEnded, res.finished);
        });
        const answer = await ask(app.port);
        const refused = "ERR_HTTP_HEADERS_SENT";
        expect(seen).toEqual([false, false, true, false, refused, refused, refused, refused, true, true]);
        expect([answer.status, answer.text, answer.headers["x-late"]]).toEqual([200, "ab", undefined]);
      });

      test("a second end() changes nothing", async () => {
        const app = await start(
          writing(2, ({ res }) => {
            res.end("once");
            res.end();
          }),
        );
        expect((await ask(app.port)).text).toBe("once");
      });
    });
  });
}
