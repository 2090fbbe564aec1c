import assert from "node:assert/strict";
import { isSessionError, type Session } from "@sessions/core";
import { cookieOf } from "../client.ts";
import { type Case, gate, longEnough, pieces } from "../kit.ts";

/** Returns a function that writes `app/n`. */
const write =
  (session: Session, n: number): (() => unknown) =>
  () =>
    session.store("app").set("n", n);

/** Streams. */
export const STREAMS: readonly Case[] = [
  {
    rule: "H7.4",
    title: "a stream sends its head and its first piece before the last piece is made",
    needs: "streams",
    async run({ serve }) {
      const seen = gate();
      const app = await serve(({ session }) => {
        write(session, 2)();
        return { body: pieces("first ", () => seen.opened, "last") };
      });
      const answer = await app.ask({ onData: (text) => text === "first " && seen.open() });
      assert.equal(answer.text, "first last");
      assert.equal(await app.stored(cookieOf(answer)), 2);
    },
  },
  {
    rule: "H7.5",
    title: "a large stream arrives complete and in order",
    needs: "streams",
    async run({ serve }) {
      const parts = Array.from({ length: 200 }, (_, index) => String(index).padEnd(10_000, "."));
      const app = await serve(() => ({ body: pieces(...parts) }));
      assert.equal((await app.ask({ headers: { cookie: await app.visitor() } })).text, parts.join(""));
    },
  },
  ...[
    { kind: "of unknown length", headers: {} },
    { kind: "with a Content-Length", headers: { "Content-Length": "10" } },
  ].map(
    ({ kind, headers }, index): Case => ({
      rule: `H1.${index + 5}`,
      title: `a stream ${kind} is complete for the client only when the writes made during it are committed`,
      needs: "streams",
      async run({ serve }) {
        const log: string[] = [];
        const seen = gate();
        const app = await serve(({ session }) => ({
          headers,
          body: pieces("first ", () => seen.opened, write(session, 2), "last"),
        }));
        const cookie = await app.visitor();
        app.backend.beforeWrite = async () => {
          await longEnough();
          log.push("committed");
        };
        const answer = await app.ask({
          headers: { cookie },
          onData: (text) => {
            if (text === "first ") seen.open();
            if ("Content-Length" in headers && text === "first last") log.push("whole");
          },
        });
        log.push("ended");
        assert.equal(answer.text, "first last");
        assert.deepEqual(log, ["committed", ...("Content-Length" in headers ? ["whole"] : []), "ended"]);
        assert.equal(await app.stored(cookie), 2);
      },
    }),
  ),
  {
    rule: "H1.7",
    title:
      "a handler that commits a new session itself, and then writes to it during a stream, loses nothing",
    needs: "streams",
    async run({ serve }) {
      const seen = gate();
      const app = await serve(async ({ session }) => {
        write(session, 2)();
        await session.commit();
        return { body: pieces("first ", () => seen.opened, write(session, 3), "last") };
      });
      const answer = await app.ask({ onData: (text) => text === "first " && seen.open() });
      assert.equal(answer.text, "first last");
      assert.equal(await app.stored(cookieOf(answer)), 3);
    },
  },
  {
    rule: "H7.6",
    title: "a first write or a login after the head was sent throws at the call, and the stream goes on",
    needs: "streams",
    async run({ serve }) {
      const codes: boolean[] = [];
      const seen = gate();
      const app = await serve(({ session }) => ({
        body: pieces(
          "first ",
          () => seen.opened,
          () => {
            for (const late of [write(session, 2), () => session.login("ada")]) {
              try {
                late();
              } catch (error) {
                codes.push(isSessionError(error, "ERR_SESSION_HEADERS_SENT"));
              }
            }
          },
          "last",
        ),
      }));
      const answer = await app.ask({ onData: seen.open });
      assert.deepEqual([answer.text, answer.cookies, codes], ["first last", [], [true, true]]);
      assert.deepEqual(app.backend.calls, []);
    },
  },
  {
    rule: "H7.7",
    title: "a stream that fails after the head was sent is cut off, and the next request is served",
    needs: "streams",
    async run({ serve }) {
      const seen = gate();
      const app = await serve(({ url }) => ({
        body:
          url === "/fine"
            ? "fine"
            : pieces(
                "first ",
                () => seen.opened,
                () => {
                  throw new Error("the stream failed");
                },
              ),
      }));
      await assert.rejects(app.ask({ onData: seen.open }));
      assert.equal((await app.ask({ path: "/fine" })).text, "fine");
    },
  },
  {
    rule: "H7.11",
    title: "a stream waits for a slow client, so that the server need not hold all of it",
    needs: "streams",
    async run({ serve }) {
      const stalled = gate();
      const away = new AbortController();
      let made = 0;
      async function* large(): AsyncGenerator<Uint8Array> {
        // 64 MB: more than the system's buffers for a connection hold.
        for (; made < 1024 && !away.signal.aborted; made++) {
          yield new Uint8Array(65_536);
          // Lets the other end run.
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
      const app = await serve(({ session }) => {
        write(session, 2)();
        return { body: large() };
      });
      const answer = app.ask({ signal: away.signal, onData: () => stalled.opened });
      // The stream stands still, or has been made as a whole.
      for (let last = -1, left = 80; left > 0 && (made !== last || made === 0); left--) {
        last = made;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      const total = made;
      away.abort();
      stalled.open();
      await assert.rejects(answer);
      assert.ok(total < 1024, "the whole stream was made while the client read none of it");
    },
  },
  {
    rule: "H7.8",
    title: "if the client disconnects during a stream, the stream is ended, and the next request is served",
    needs: "streams",
    async run({ serve }) {
      const ended = gate();
      const away = new AbortController();
      async function* endless(): AsyncGenerator<Uint8Array> {
        try {
          for (;;) {
            yield new Uint8Array(100);
            // Lets the server notice the client.
            await new Promise((resolve) => setImmediate(resolve));
          }
        } finally {
          ended.open();
        }
      }
      const app = await serve(({ session, url }) => {
        write(session, 2)();
        return { body: url === "/fine" ? "fine" : endless() };
      });
      await assert.rejects(app.ask({ signal: away.signal, onData: () => away.abort() }));
      await ended.opened;
      assert.equal((await app.ask({ path: "/fine" })).text, "fine");
    },
  },
];
