import assert from "node:assert/strict";
import { isSessionError, type Session } from "@sessions/core";
import { cookieAfter, cookieOf, type HttpResponse } from "../client.ts";
import { type App, type Case, gate, type Kit, pieces } from "../kit.ts";
import type { Listener, ResponseEvent } from "../listen-to.ts";
import type { Handler, Reply } from "../target.ts";

const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 2));

/** Increments `app/n`. */
const count = (session: Session): unknown =>
  session.store<{ n: number }>("app").update("n", (n = 0) => n + 1);

/** Polls until a cookie's session holds `app/n`. */
async function becomes(app: App, cookie: string, n: number): Promise<void> {
  for (let left = 400; left > 0; left--) {
    if ((await app.stored(cookie)) === n) return;
    await soon();
  }
  assert.equal(await app.stored(cookie), n);
}

/** Responses, and the text that a client must get. */
const REPLIES: readonly { readonly path: string; readonly reply: () => Reply; readonly text: string }[] = [
  { path: "/text", reply: () => ({ body: "body" }), text: "body" },
  { path: "/none", reply: () => ({ status: 204 }), text: "" },
  { path: "/304", reply: () => ({ status: 304 }), text: "" },
  { path: "/stream", reply: () => ({ body: pieces("bo", soon, "dy") }), text: "body" },
];

/** Responds by path, after a read or a write if the query asks for one. */
const handler: Handler = ({ session, url }) => {
  if (url.endsWith("?read")) session.store("app").get("n");
  if (url.endsWith("?write")) session.store("app").set("m", 1);
  const [path] = url.split("?", 1);
  return (REPLIES.find((it) => it.path === path) ?? { reply: () => ({}) }).reply();
};

/** Every response that the target can send, for a request that does nothing, reads or writes. */
const pathsOf = ({ can }: Kit) =>
  REPLIES.filter(({ path }) => path !== "/stream" || can("streams")).flatMap((it) =>
    ["", "?read", "?write"].map((query) => ({ ...it, path: it.path + query })),
  );

/** A listener to one event, and the outcomes of its writes. */
function listener(
  event: ResponseEvent,
  mounted: Listener["mounted"],
  act: (session: Session) => unknown,
): { readonly listener: Listener; readonly outcomes: unknown[] } {
  const outcomes: unknown[] = [];
  return {
    outcomes,
    listener: {
      mounted,
      heard(heard, session) {
        if (heard !== event) return;
        try {
          act(session);
          outcomes.push("done");
        } catch (error) {
          outcomes.push(isSessionError(error, "ERR_SESSION_HEADERS_SENT") ? "refused" : error);
        }
      },
    },
  };
}

const isWhole = (answer: HttpResponse, text: string): void => {
  assert.deepEqual([answer.status < 400, answer.text], [true, text]);
};

const slowly = (app: App): void => {
  app.backend.beforeWrite = soon;
};

/** Ways in which a listener writes at once or later. */
const LATER: Readonly<Record<string, (write: () => unknown) => unknown>> = {
  "in the listener": (write) => write(),
  "in a timer": (write) => setTimeout(write, 1),
  "in an async listener": async (write) => {
    await soon();
    write();
  },
};

const mounts = ["before", "after"] as const;

/** Writes while the head goes out, and after the response. */
export const HEADS: readonly Case[] = [
  ...mounts.flatMap((mounted, index): Case[] => [
    {
      rule: `H3.${1 + 5 * index}`,
      title: `a visitor's write while the head goes out, by a middleware mounted ${mounted} the adapter, is stored, and the response is complete`,
      needs: "node",
      async run(kit) {
        const paths = pathsOf(kit);
        const at = listener("head", mounted, count);
        const app = await kit.serve(handler, {}, {}, { listener: at.listener });
        slowly(app);
        for (const { path, text } of paths) {
          const cookie = await app.visitor();
          isWhole(await app.ask({ path, headers: { cookie } }), text);
          await becomes(app, cookie, 2);
        }
        assert.deepEqual(
          at.outcomes,
          paths.map(() => "done"),
        );
        assert.deepEqual(app.errors, []);
      },
    },
    {
      rule: `H3.${2 + 5 * index}`,
      title: `a guest's write while the head goes out, by a middleware mounted ${mounted} the adapter, throws or has its cookie, and the response is complete`,
      needs: "node",
      async run(kit) {
        const paths = pathsOf(kit);
        const at = listener("head", mounted, count);
        const app = await kit.serve(handler, {}, {}, { listener: at.listener });
        slowly(app);
        for (const { path, text } of paths) {
          at.outcomes.length = 0;
          const answer = await app.ask({ path });
          isWhole(answer, text);
          if (at.outcomes[0] === "refused") assert.equal(await app.stored(cookieOf(answer)), undefined);
          else await becomes(app, cookieOf(answer), 1);
        }
        assert.deepEqual(app.errors, []);
      },
    },
    {
      rule: `H3.${3 + 5 * index}`,
      title: `a login while the head goes out, by a middleware mounted ${mounted} the adapter, throws or has its cookie, and the response is complete`,
      needs: "node",
      async run(kit) {
        const paths = pathsOf(kit);
        const at = listener("head", mounted, (session) => session.login("ada"));
        const app = await kit.serve(handler, {}, {}, { listener: at.listener });
        for (const { path, text } of paths)
          for (const cookie of ["", await app.visitor()]) {
            at.outcomes.length = 0;
            const answer = await app.ask({ path, headers: { cookie } });
            isWhole(answer, text);
            const { principal } = await app.sessions.open(cookieAfter(cookie, answer));
            assert.equal(principal, at.outcomes[0] === "refused" ? undefined : "ada");
          }
      },
    },
    {
      rule: `H3.${4 + 5 * index}`,
      title: `if a middleware mounted ${mounted} the adapter writes and then throws while the head goes out, the response is an error page, and the next request is served`,
      needs: "node",
      async run({ serve }) {
        let fails = true;
        const app = await serve(
          handler,
          {},
          {},
          {
            listener: {
              mounted,
              heard(event, session) {
                if (event !== "head" || !fails) return;
                fails = false;
                count(session);
                throw new Error("the middleware failed");
              },
            },
          },
        );
        const cookie = await app.visitor();
        const answer = await app.ask({ path: "/text", headers: { cookie } });
        assert.equal(answer.status, 500);
        isWhole(await app.ask({ path: "/text", headers: { cookie } }), "body");
      },
    },
    {
      rule: `H3.${5 + 5 * index}`,
      title: `if a middleware mounted ${mounted} the adapter does not catch the error of its late write, the response is complete all the same`,
      needs: "node",
      async run(kit) {
        const paths = pathsOf(kit);
        const app = await kit.serve(
          handler,
          {},
          {},
          {
            listener: {
              mounted,
              heard(event, session) {
                if (event === "head") count(session);
              },
            },
          },
        );
        for (const { path, text } of paths) isWhole(await app.ask({ path }), text);
        // Without a framework, warnings are counted as errors.
        assert.deepEqual(
          app.errors.filter((error) => !isSessionError(error, "ERR_SESSION_HEADERS_SENT")),
          [],
        );
      },
    },
  ]),
  ...(["finish", "close"] as const).flatMap((event, first) =>
    Object.entries(LATER).map(
      ([when, run], index): Case => ({
        rule: `H11.${1 + 3 * first + index}`,
        title: `a write after "${event}", ${when}, is stored for a visitor and dropped for a guest, and a login then throws`,
        needs: "node",
        async run(kit) {
          const paths = pathsOf(kit);
          const outcomes: unknown[] = [];
          const at = listener(event, "after", (session) =>
            run(() => {
              try {
                session.store<{ n: number }>("app").set("n", 7);
                outcomes.push("done");
              } catch (error) {
                outcomes.push(error);
              }
              try {
                session.login("ada");
                outcomes.push("logged in");
              } catch (error) {
                outcomes.push(isSessionError(error, "ERR_SESSION_HEADERS_SENT"));
              }
            }),
          );
          const app = await kit.serve(handler, {}, {}, { listener: at.listener });
          slowly(app);
          for (const { path, text } of paths) {
            const cookie = await app.visitor();
            isWhole(await app.ask({ path, headers: { cookie } }), text);
            await becomes(app, cookie, 7);
          }
          app.backend.calls.length = 0;
          const guests = paths.filter((it) => !it.path.endsWith("?write"));
          for (const { path, text } of guests) isWhole(await app.ask({ path }), text);
          const answers = paths.length + guests.length;
          for (let left = 400; left > 0 && outcomes.length < 2 * answers; left--) await soon();
          assert.deepEqual(outcomes, Array.from({ length: answers }, () => ["done", true]).flat());
          assert.deepEqual(app.backend.calls, []);
        },
      }),
    ),
  ),
  {
    rule: "H11.7",
    title:
      "a write after the client disconnected during the body is stored for a visitor, and does not throw for a guest",
    needs: "node",
    async run({ serve }) {
      const at = listener("close", "after", count);
      const went = gate();
      const app = await serve(
        ({ session, url }) => {
          if (url === "/read") session.store("app").get("n");
          return { body: pieces("first ", () => went.opened, "last") };
        },
        {},
        {},
        { listener: at.listener },
      );
      const visitor = await app.visitor();
      let asked = 0;
      for (const path of ["/", "/read"])
        for (const cookie of [visitor, ""]) {
          const away = new AbortController();
          const headers = { cookie };
          await assert.rejects(app.ask({ path, headers, signal: away.signal, onData: () => away.abort() }));
          asked++;
          for (let left = 400; left > 0 && at.outcomes.length < asked; left--) await soon();
        }
      went.open();
      await becomes(app, visitor, 3);
      assert.deepEqual(at.outcomes, ["done", "done", "done", "done"]);
    },
  },
];
