import assert from "node:assert/strict";
import { isSessionError, SessionSetupError } from "@sessions/core";
import { cookieOf } from "../client.ts";
import { type App, type Case, gate, pieces, writing } from "../kit.ts";
import type { Reply } from "../target.ts";

const assertOneError = ({ errors }: App): void => {
  assert.equal(errors.length, 1);
  assert.ok(isSessionError(errors[0], "ERR_SESSION_UNAVAILABLE"));
};

/** A framework's default page has the error's status; an application's page may have 500. */
const isErrorPage = (status: number): boolean => status === 500 || status === 503;

/** Backends that are down, and handlers that fail. */
export const BACKEND: readonly Case[] = [
  {
    title: "a backend that is down at the read: an error, no fresh session, and nobody is logged out",
    async run(serve) {
      let handled = 0;
      const app = await serve(({ session }) => {
        handled++;
        return { body: String(session.principal) };
      });
      const cookie = await app.visitor("ada");
      app.backend.down.add("load");
      const answer = await app.ask({ headers: { cookie } });
      assert.deepEqual([isErrorPage(answer.status), answer.cookies, handled], [true, [], 0]);
      assertOneError(app);
      app.backend.down.clear();
      assert.equal((await app.ask({ headers: { cookie } })).text, "ada");
    },
  },
  {
    title: "a backend that is down at a first write: an error, no cookie, and no part of the response",
    async run(serve) {
      const app = await serve(writing(2, { status: 201, headers: { "X-Own": "yes" }, body: "done" }));
      app.backend.down.add("create");
      const answer = await app.ask();
      assert.deepEqual(
        [isErrorPage(answer.status), answer.cookies, answer.headers["x-own"]],
        [true, [], undefined],
      );
      assert.notEqual(answer.text, "done");
      assertOneError(app);
    },
  },
  {
    title: "a backend that is down at the commit of a stream: an error, and the stream is ended",
    async run(serve) {
      const ended = gate();
      async function* body(): AsyncGenerator<Uint8Array> {
        try {
          for (;;) yield new Uint8Array(10_000);
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
      await ended.opened;
      assertOneError(app);
    },
  },
  {
    title:
      "a backend that was never set up: each response is a complete error page, whatever the handler sent",
    async run(serve) {
      const replies: readonly Reply[] = [
        { body: "done" },
        { status: 204 },
        { redirect: "/elsewhere" },
        { headers: { "Content-Length": "4", ETag: '"1"' }, body: "done" },
        { body: pieces("first ", "last") },
      ];
      let at = 0;
      const app = await serve(({ session, url }) => {
        session.store("app").set("n", 2);
        if (url === "/in") session.login("ada");
        return replies[at] ?? {};
      });
      app.backend.beforeWrite = () => Promise.reject(new SessionSetupError("There is no table sessions"));
      for (at = 0; at < replies.length; at++)
        for (const path of ["/", "/in"]) {
          const answer = await app.ask({ path });
          assert.deepEqual([answer.status, answer.cookies], [500, []]);
        }
      assert.deepEqual(
        app.errors.map((error) => isSessionError(error, "ERR_SESSION_SETUP")),
        replies.flatMap(() => [true, true]),
      );
      app.backend.beforeWrite = async () => undefined;
      at = 0;
      assert.equal((await app.ask()).text, "done");
    },
  },
  {
    title: "a backend that is down at a write of a visitor: an error, and the session is as it was",
    async run(serve) {
      const app = await serve(writing(2));
      const cookie = await app.visitor("ada");
      app.backend.down.add("commit");
      const answer = await app.ask({ headers: { cookie } });
      assert.deepEqual([isErrorPage(answer.status), answer.cookies], [true, []]);
      assertOneError(app);
      app.backend.down.clear();
      assert.equal(await app.stored(cookie), 1);
      assert.equal((await app.ask({ headers: { cookie } })).status, 200);
      assert.equal(await app.stored(cookie), 2);
    },
  },
  {
    title: "a backend that is down at a login: an error, no cookie, and the session before it is good",
    async run(serve) {
      const app = await serve(({ session }) => {
        session.login("ada");
        return { body: "welcome" };
      });
      const cookie = await app.visitor();
      app.backend.down.add("create");
      const answer = await app.ask({ headers: { cookie } });
      assert.deepEqual([isErrorPage(answer.status), answer.cookies], [true, []]);
      assertOneError(app);
      app.backend.down.clear();
      assert.equal(await app.stored(cookie), 1);
    },
  },
  {
    title:
      "a backend that is down when the headers are out: the response is cut, so no client takes a part for the whole",
    async run(serve) {
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
    title: "a page with status 500 that the handler sends commits and has its cookie",
    async run(serve) {
      const app = await serve(writing(2, { status: 500, body: "sorry" }));
      const answer = await app.ask();
      assert.deepEqual([answer.status, answer.text], [500, "sorry"]);
      assert.equal(await app.stored(cookieOf(answer)), 2);
    },
  },
  {
    title: "a handler that throws: the framework's page, and no record without its cookie",
    async run(serve) {
      const fault = new Error("the handler failed");
      const app = await serve(({ session }) => {
        session.store("app").set("n", 2);
        throw fault;
      });
      const answer = await app.ask();
      assert.deepEqual([answer.status, app.errors], [500, [fault]]);
      assert.equal(answer.cookies.length, app.backend.calls.length);
      if (answer.cookies.length > 0) assert.equal(await app.stored(cookieOf(answer)), 2);
    },
  },
  {
    title: "a handler that throws after a login or rotate(): the visitor still has a session",
    async run(serve) {
      const app = await serve(({ session, url }) => {
        if (url === "/in") session.login("ada");
        else session.rotate();
        throw new Error("the handler failed");
      });
      for (const path of ["/in", "/rotate"]) {
        const cookie = await app.visitor("ada");
        const answer = await app.ask({ path, headers: { cookie } });
        assert.equal(answer.status, 500);
        assert.equal(await app.stored(cookieOf(answer) || cookie), 1);
      }
    },
  },
];
