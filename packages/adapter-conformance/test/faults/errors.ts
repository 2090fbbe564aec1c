import { dropLogin, reportsError } from "@sessions/core/adapter-tools";
import { sound } from "../simple-adapter.ts";
import { type Fault, fault, handingOn, nothing } from "./fault.ts";

/** Faults in error responses, and with a backend that is down. */
export const errorFaults: readonly Fault[] = [
  fault(["H4.1", "H4.2", "H4.3", "H4.4", "H4.5"], "an error response keeps a login", {
    status: () => undefined,
  }),
  fault(["H4.2", "H4.4", "H4.5"], "a 4xx keeps a login", {
    status: (session, status) => status >= 500 && dropLogin(session),
  }),
  fault(["H4.1", "H4.3", "H4.5"], "a 5xx keeps a login", {
    status: (session, status) => reportsError(status) && status < 500 && dropLogin(session),
  }),
  fault(["H4.2", "H4.1", "H4.3", "H4.4", "H4.5"], "a login is dropped after the commit", {
    status: () => undefined,
    async seal(session, res) {
      const result = await sound.seal(session, res);
      if (reportsError(res.statusCode)) dropLogin(session);
      return result;
    },
  }),
  fault(["H4.4", "H4.7"], "an error response drops all that was staged", {
    status: (session, status) => reportsError(status) && session.discard(),
  }),
  fault(["H4.7", "H4.4", "H4.6", "H4.8"], "an error response is not committed", {
    seal: (session, res) => (reportsError(res.statusCode) ? nothing() : sound.seal(session, res)),
    lastByte: (session, res) => (reportsError(res.statusCode) ? nothing() : session.commit()),
  }),
  fault(["H4.4", "H4.6", "H4.7", "H4.8"], "an error response commits, and loses the cookie", {
    cookie(setCookie, headers, res) {
      if (!reportsError(res.statusCode)) sound.cookie(setCookie, headers, res);
    },
  }),
  fault(["H4.7", "H4.4", "H4.5", "H4.6", "H4.9"], "an error response ends the session", {
    async seal(session, res) {
      if (reportsError(res.statusCode)) await session.logout();
      return sound.seal(session, res);
    },
  }),
  fault(["H3.8", "H4.11"], "a redirect drops a login", {
    status: (session, status) => status >= 300 && dropLogin(session),
  }),
  fault(["H4.10"], "the session accepts properties", {
    open: async (sessions, req, touch) =>
      new Proxy(await sound.open(sessions, req, touch), { set: () => true }),
  }),
  fault(["H10.1", "H10.8"], "down is logged out: a failed read opens a new session", {
    open: (sessions, req, touch) =>
      sound
        .open(sessions, req, touch)
        .catch(() => sound.open(sessions, Object.create(req, { headers: { value: {} } }), touch)),
  }),
  fault(["H10.5", "H9.1", "H10.2", "H10.3", "H10.4", "H10.6", "H10.8"], "a failed commit is ignored", {
    seal: (session, res) => sound.seal(session, res).catch(nothing),
  }),
  fault(["H9.1", "H10.2", "H10.3", "H10.4", "H10.8"], "a failed commit of a guest is ignored", {
    seal: (session, res) =>
      sound.seal(session, res).catch((error: unknown) => {
        if (session.isNew) return nothing();
        throw error;
      }),
  }),
  handingOn(
    ["H10.1", "H3.4", "H3.9", "H9.1", "H10.2", "H10.3", "H10.4", "H10.5", "H10.6", "H10.8"],
    "the adapter sends the error's message as its own page",
    (error, _, res) => {
      res.statusCode = 503;
      res.end(String(error));
    },
  ),
  handingOn(
    ["H9.1", "H10.1", "H10.2", "H10.3", "H10.4", "H10.5", "H10.6", "H10.8"],
    "an error is wrapped in another one",
    (cause, next) => next(new Error("the session failed", { cause })),
  ),
  handingOn(["H10.8"], "an error has the status 500", (error, next) => {
    if (error instanceof Error) Object.defineProperty(error, "status", { value: 500 });
    next(error);
  }),
  handingOn(["H10.8"], "an error has no Retry-After", (error, next) => {
    if (error instanceof Error) Object.defineProperty(error, "headers", { value: {} });
    next(error);
  }),
  fault(["H10.2", "H10.4"], "the error page keeps the handler's headers", {
    takeBack(res) {
      res.statusCode = 200;
    },
  }),
  fault(["H10.4"], "the error page keeps the handler's Content-Length", {
    takeBack(res, before) {
      const length = res.getHeader("Content-Length");
      sound.takeBack(res, before);
      if (length !== undefined) res.setHeader("Content-Length", length);
    },
  }),
  fault(["H10.7"], "a response whose commit fails late is ended like a complete one", {
    cut: (res) => res.end(),
  }),
  fault(["H10.7"], "a response whose commit fails late hangs", { cut: () => undefined }),
];
