import type { IncomingMessage, ServerResponse } from "node:http";
import type { Session, SessionManager } from "@sessions/core";
import connect from "connect";
import express5 from "express";
import express4 from "express4";
import { expectTypeOf, test } from "vitest";
import { openSession, sessionMiddleware } from "../src/index.ts";

// Checked by tsc. Nothing runs.
test("the types fit Express 4, Express 5, Connect and node:http", () => {
  const check = (sessions: SessionManager, req: IncomingMessage, res: ServerResponse): void => {
    express4()
      .use(sessionMiddleware(sessions))
      .get("/", (req, res) => {
        expectTypeOf(req.session).toEqualTypeOf<Session>();
        void openSession(sessions, req, res);
      });
    express5()
      .use(sessionMiddleware(sessions, { lazy: true }))
      .get("/", async (req, res) => {
        expectTypeOf(req.session).toEqualTypeOf<Session>();
        expectTypeOf(await openSession(sessions, req, res)).toEqualTypeOf<Session>();
      });
    connect().use(sessionMiddleware(sessions));
    expectTypeOf(openSession(sessions, req, res)).toEqualTypeOf<Promise<Session>>();
    // @ts-expect-error only Express's requests have the property
    void req.session;
    // @ts-expect-error no such option
    sessionMiddleware(sessions, { lasy: true });
  };
  expectTypeOf(check).toBeFunction();
});
