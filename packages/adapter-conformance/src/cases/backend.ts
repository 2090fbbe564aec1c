import assert from "node:assert/strict";
import { isSessionError, type SessionErrorCode, SessionSetupError } from "@sessions/core";
import { cookieAfter, cookieOf } from "../client.ts";
import { type App, type Case, gate, pieces, writing } from "../kit.ts";
import type { Reply } from "../target.ts";
import { within } from "../within.ts";

const assertReported = ({ errors }: App, code: SessionErrorCode): void => {
  assert.equal(errors.length, 1);
  assert.ok(isSessionError(errors[0], code));
};
const assertDown = (app: App): void => assertReported(app, "ERR_SESSION_UNAVAILABLE");

/** A framework's default page has the error's status; an application's page may have 500. */
const isErrorPage = (status: number): boolean => status === 500 || status === 503;

/** Backends that are down, and handlers that fail. */
export const BACKEND: readonly Case[] = [
  {
    rule: "H10.1",
    title:
      "if the backend is down at the read, the response is an error page, the handler does not run, and the visitor stays logged in",
    async run({ serve }) {
      let handled = 0;
      const app = await serve(({ session }) => {
        handled++;
        return { body: String(session.principal) };
      });
      const cookie = await app.visitor("ada");
      app.backend.down.add("load");
      const answer = await app.ask({ headers: { cookie } });
      assert.deepEqual([isErrorPage(answer.status), answer.cookies, handled], [true, [], 0]);
      assertDown(app);
      app.backend.down.clear();
      assert.equal((await app.ask({ headers: { cookie } })).text, "ada");
    },
  },
  {
    rule: "H10.2",
    title:
      "if the backend is down at a first write, the response is an error page, without a cookie and without any part of the handler's reply",
    async run({ serve }) {
      const app = await serve(writing(2, { status: 201, headers: { "X-Own": "yes" }, body: "done" }));
      app.backend.down.add("create");
      const answer = await app.ask();
      assert.deepEqual(
        [isErrorPage(answer.status), answer.cookies, answer.headers["x-own"]],
        [true, [], undefined],
      );
      assert.notEqual(answer.text, "done");
      assertDown(app);
    },
  },
  {
    rule: "H10.3",
    title:
      "if the backend is down at the commit before a stream, the response is an error page, and the stream is ended",
    needs: "streams",
    async run({ serve }) {
      const ended = gate();
      async function* body(): AsyncGenerator<Uint8Array> {
        try {
          for (;;) {
            yield new Uint8Array(100);
            // An adapter that reads without end must not keep the case from its time limit.
            await new Promise((resolve) => setImmediate(resolve));
          }
        } finally {
          ended.open();
        }
      }
      const streaming = body();
      // Begin to read it, because a generator that was never started has nothing to end.
      await streaming.next();
      const app = await serve(writing(2, { body: streaming }));
      app.backend.down.add("create");
      const answer = await app.ask();
      assert.deepEqual([isErrorPage(answer.status), answer.cookies], [true, []]);
      await within(2000, ended.opened, "the stream was not ended");
      assertDown(app);
    },
  },
  {
    rule: "H10.4",
    title:
      "if the backend was never set up, each response that needs it is a complete error page, whatever the handler sent",
    async run({ serve, can }) {
      const replies: readonly Reply[] = [
        { body: "done" },
        { status: 204 },
        { redirect: "/elsewhere" },
        { headers: { "Content-Length": "4", ETag: '"1"' }, body: "done" },
        ...(can("streams") ? [{ body: pieces("first ", "last") }] : []),
      ];
      let at = 0;
      const app = await serve(({ session, url }) => {
        session.store("app").set("n", 2);
        if (url === "/in") session.login("ada");
        return replies[at] ?? {};
      });
      app.backend.beforeWrite = () => Promise.reject(new SessionSetupError("There is no table sessions"));
      const pages = new Set<string>();
      for (at = 0; at < replies.length; at++)
        for (const path of ["/", "/in"]) {
          const answer = await app.ask({ path });
          assert.deepEqual([answer.status, answer.cookies], [500, []]);
          assertReported(app, "ERR_SESSION_SETUP");
          app.errors.length = 0;
          pages.add(answer.text);
        }
      // A page that kept a Content-Length of the handler would be cut.
      assert.equal(pages.size, 1);
      app.backend.beforeWrite = async () => undefined;
      at = 0;
      assert.equal((await app.ask()).text, "done");
    },
  },
  {
    rule: "H10.5",
    title:
      "if the backend is down at a visitor's write, the response is an error page, and the session stays as it was",
    async run({ serve }) {
      const app = await serve(writing(2));
      const cookie = await app.visitor("ada");
      app.backend.down.add("commit");
      const answer = await app.ask({ headers: { cookie } });
      assert.deepEqual([isErrorPage(answer.status), answer.cookies], [true, []]);
      assertDown(app);
      app.backend.down.clear();
      assert.equal(await app.stored(cookie), 1);
      assert.equal((await app.ask({ headers: { cookie } })).status, 200);
      assert.equal(await app.stored(cookie), 2);
    },
  },
  {
    rule: "H10.6",
    title:
      "if the backend is down at a login, the response is an error page without a cookie, and the visitor's session stays good",
    async run({ serve }) {
      const app = await serve(({ session }) => {
        session.login("ada");
        return { body: "welcome" };
      });
      const cookie = await app.visitor();
      app.backend.down.add("create");
      const answer = await app.ask({ headers: { cookie } });
      assert.deepEqual([isErrorPage(answer.status), answer.cookies], [true, []]);
      assertDown(app);
      app.backend.down.clear();
      assert.equal(await app.stored(cookie), 1);
    },
  },
  {
    rule: "H10.7",
    title:
      "if the backend goes down after the head was sent, the response is cut off, so that no client takes a part for the whole",
    needs: "streams",
    async run({ serve }) {
      const seen = gate();
      const app = await serve(({ session }) => ({
        body: pieces(
          "first ",
          () => seen.opened,
          () => session.store("app").set("n", 2),
          "last",
        ),
      }));
      const cookie = await app.visitor();
      app.backend.down.add("commit");
      await assert.rejects(app.ask({ headers: { cookie }, onData: seen.open }));
      app.backend.down.clear();
      assert.equal(await app.stored(cookie), 1);
    },
  },
  {
    rule: "H10.8",
    title:
      "the error of a backend that is down reaches the framework's error handling with status 503 and Retry-After",
    async run({ serve }) {
      const app = await serve(writing(2));
      const cookie = await app.visitor();
      for (const [method, headers] of [
        ["load", { cookie }],
        ["create", {}],
        ["commit", { cookie }],
      ] as const) {
        app.errors.length = 0;
        app.backend.down.add(method);
        await app.ask({ headers });
        app.backend.down.clear();
        const [error] = app.errors;
        assert.ok(isSessionError(error, "ERR_SESSION_UNAVAILABLE"));
        assert.deepEqual(
          [Reflect.get(error, "status"), Reflect.get(error, "headers")],
          [503, { "Retry-After": "5" }],
        );
      }
    },
  },
  {
    rule: "H4.7",
    title: "a page with status 500 that the handler sends is committed and has its cookie",
    async run({ serve }) {
      const app = await serve(writing(2, { status: 500, body: "sorry" }));
      const answer = await app.ask();
      assert.deepEqual([answer.status, answer.text], [500, "sorry"]);
      assert.equal(await app.stored(cookieOf(answer)), 2);
    },
  },
  {
    rule: "H4.8",
    title:
      "if a handler throws, the client gets the framework's error page, and no record is stored without its cookie",
    async run({ serve }) {
      const fault = new Error("the handler failed");
      const app = await serve(({ session }) => {
        session.store("app").set("n", 2);
        throw fault;
      });
      const answer = await app.ask();
      assert.deepEqual([answer.status, app.errors], [500, [fault]]);
      if (answer.cookies.length === 0) assert.deepEqual(app.backend.calls, []);
      else assert.equal(await app.stored(cookieOf(answer)), 2);
    },
  },
  {
    rule: "H4.9",
    title: "if a handler throws after a login or rotate(), the visitor still has a session",
    async run({ serve }) {
      const app = await serve(({ session, url }) => {
        if (url === "/in") session.login("ada");
        else session.rotate();
        throw new Error("the handler failed");
      });
      for (const path of ["/in", "/rotate"]) {
        const cookie = await app.visitor("ada");
        const answer = await app.ask({ path, headers: { cookie } });
        assert.equal(answer.status, 500);
        assert.equal(await app.stored(cookieAfter(cookie, answer)), 1);
      }
    },
  },
];
