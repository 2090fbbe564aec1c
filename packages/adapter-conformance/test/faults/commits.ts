import { setTimeout } from "node:timers/promises";
import type { Session, SessionManager } from "@sessions/core";
import { openOptionsOf } from "@sessions/core/adapter-tools";
import { type Steps, sound } from "../simple-adapter.ts";
import { beneath, type Fault, fault, none, nothing, withMethods } from "./fault.ts";

const unawaited = (promise: Promise<unknown>): ReturnType<Steps["seal"]> => {
  promise.catch(() => undefined);
  return nothing();
};

/** What is staged is lost. It rejects, because the adapter asks again after a commit. */
const drop = (): Promise<never> => Promise.reject(new Error("lost"));

/** By its description, as the core shares it between copies of itself. */
const CONTROLS = Symbol.for("@sessions/core/controls");

const shared = new WeakMap<object, Promise<Session>>();
const byCookie = new Map<string, Promise<Session>>();
const lastCookie = new WeakMap<SessionManager, string>();
const committed = new WeakSet<Session>();
const ended = new WeakSet<object>();

/** Faults in when an adapter opens and commits, and how often. */
export const commitFaults: readonly Fault[] = [
  fault(["H1.1", "H1.2", "H1.5", "H1.6"], "a visitor's response waits for its commit for 10 ms at most", {
    seal: (session, res) =>
      res.req.headers.cookie
        ? Promise.race([sound.seal(session, res), setTimeout(10, none)])
        : sound.seal(session, res),
    lastByte: (session) => Promise.race([session.commit(), setTimeout(10)]),
  }),
  fault(["H1.2", "H4.11"], "a redirect does not wait for the commit", {
    seal: (session, res) =>
      res.statusCode === 303 && !session.isNew
        ? unawaited(sound.seal(session, res))
        : sound.seal(session, res),
    lastByte: (session, res) => (res.statusCode === 303 ? nothing() : session.commit()),
  }),
  fault(["H12.5", "H10.1"], "parallel requests with one cookie share a session", {
    open(sessions, req, touch) {
      const { cookie } = req.headers;
      const session = byCookie.get(cookie ?? "") ?? sound.open(sessions, req, touch);
      if (cookie) byCookie.set(cookie, session);
      session.then(() => req.once("close", () => byCookie.delete(cookie ?? ""))).catch(() => undefined);
      return session;
    },
  }),
  fault(["H1.4"], "a client that disconnects is an error", {}, (adapter) => (req, res, next) => {
    res.once("close", () => res.writableFinished || next(new Error("the client has gone")));
    adapter(req, res, next);
  }),
  fault(["H1.5", "H1.6", "H10.7"], "nothing is committed before the last byte", { lastByte: nothing }),
  fault(["H1.5", "H1.6", "H10.7"], "the last byte does not wait for the commit", {
    lastByte: (session) => unawaited(session.commit()),
  }),
  beneath(
    ["H1.6"],
    "with a Content-Length the commit is before the end, and not before the last byte",
    (res) => {
      const { getHeader } = res;
      Object.assign(res, {
        getHeader: (name: string) => (name === "Content-Length" ? undefined : getHeader.call(res, name)),
      });
    },
  ),
  fault(
    ["H1.7", "H11.1", "H11.2", "H11.3", "H11.4", "H11.5", "H11.6"],
    "the adapter commits no more if the handler has done so",
    {
      async open(sessions, req, touch) {
        const session = await sound.open(sessions, req, touch);
        const known = withMethods(session, {
          async commit(options) {
            const result = await session.commit(options);
            if (!options?.seal) committed.add(known);
            return result;
          },
        });
        return known;
      },
      lastByte: (session) => (committed.has(session) ? nothing() : session.commit()),
      late: (session) => (committed.has(session) ? drop() : session.commit()),
    },
  ),
  fault(["H10.7"], "an error of the commit before the last byte is ignored", {
    lastByte: (session) => session.commit().catch(() => undefined),
  }),
  fault(
    [
      "H2.1",
      "H4.1",
      "H4.2",
      "H4.3",
      "H4.10",
      "H5.10",
      "H7.6",
      "H11.1",
      "H11.2",
      "H11.3",
      "H11.4",
      "H11.5",
      "H11.6",
      "H12.2",
      "H12.3",
      "H12.4",
    ],
    "a guest gets a session at once",
    {
      async open(sessions, req, touch) {
        const session = await sound.open(sessions, req, touch);
        if (session.isNew && !req.headers.cookie) session.store("adapter").set("seen", true);
        return session;
      },
    },
  ),
  fault(
    ["H8.2", "H1.5", "H1.6", "H5.10", "H10.7", "H14.2"],
    "each request of a visitor writes when it was seen",
    {
      async open(sessions, req, touch) {
        const session = await sound.open(sessions, req, touch);
        if (!session.isNew) session.store("adapter").set("seen", Date.now());
        return session;
      },
    },
  ),
  fault(["H8.2", "H8.3"], "the session is read by each of two middlewares", {
    open: async (sessions, req, touch) =>
      (await sound.open(sessions, req, touch)) && sound.open(sessions, req, touch),
  }),
  fault(
    ["H8.3", "H3.8", "H4.6", "H8.1", "H9.1", "H10.3", "H10.4", "H10.7", "H12.5"],
    "each write is committed at once",
    {
      async open(sessions, req, touch) {
        const session = await sound.open(sessions, req, touch);
        const writes = ["set", "update"];
        return withMethods(session, {
          store: (name: string) =>
            new Proxy(session.store(name), {
              get(target, key) {
                const value: unknown = Reflect.get(target, key);
                if (typeof value !== "function") return value;
                return (...args: unknown[]) => {
                  const result: unknown = Reflect.apply(value, target, args);
                  if (writes.includes(String(key))) void unawaited(session.commit());
                  return result;
                };
              },
            }),
        });
      },
    },
  ),
  fault(
    [
      "H12.1",
      "H10.8",
      "H11.1",
      "H11.2",
      "H11.3",
      "H11.4",
      "H11.5",
      "H11.6",
      "H11.7",
      "H12.2",
      "H12.3",
      "H12.4",
    ],
    "a guest gets the session of the last visitor",
    {
      open(sessions, req, touch) {
        const { cookie } = req.headers;
        if (cookie) lastCookie.set(sessions, cookie);
        return cookie
          ? sound.open(sessions, req, touch)
          : sessions.open(
              lastCookie.get(sessions),
              openOptionsOf(sessions, {
                method: req.method,
                header: (name) => [req.headers[name]].flat()[0],
                https: false,
                touch,
              }),
            );
      },
    },
  ),
  fault(["H12.1"], "a session is kept for the connection", {
    open(sessions, req, touch) {
      const session = shared.get(req.socket) ?? sound.open(sessions, req, touch);
      shared.set(req.socket, session);
      return session;
    },
  }),
  fault(["H11.1", "H11.2", "H11.3", "H11.4", "H11.5", "H11.6", "H11.7"], "late writes are lost", {
    late: drop,
  }),
  fault(["H11.7"], "late writes are stored after finish alone", {
    late: (session, res) => (res.writableFinished ? session.commit() : drop()),
  }),
  fault(["H11.2", "H11.3", "H11.5", "H11.6"], "late writes are stored once", {
    late(session, res) {
      if (ended.has(res)) return drop();
      ended.add(res);
      return session.commit();
    },
  }),
  fault(["H14.1", "H14.2"], "no request keeps its session alive", {
    open: (sessions, req) => sound.open(sessions, req, false),
  }),
  fault(["H14.2"], "the option touch is ignored", {
    open: (sessions, req) => sound.open(sessions, req, true),
  }),
  fault(["H14.1", "H14.2"], "the option touch is inverted", {
    open: (sessions, req, touch) => sound.open(sessions, req, !touch),
  }),
  fault(["H12.4"], "commit is called as a method of the class", {
    // Async, because a step that throws at once would make a second error page fail, too.
    seal: async (session) =>
      Reflect.apply(Reflect.get(Object.getPrototypeOf(session), "commit"), session, [{ seal: true }]),
  }),
  fault(["H12.4"], "a session that cannot tell whether it needs a commit gets one for the head alone", {
    lastByte: (session) => (Reflect.get(session, CONTROLS) ? session.commit() : nothing()),
    late: (session) => (Reflect.get(session, CONTROLS) ? session.commit() : drop()),
  }),
];
