import { dropLogin, reportsError } from "@sessions/core/adapter-tools";
import { sound } from "../simple-adapter.ts";
import { type Fault, fault, handingOn, nothing } from "./fault.ts";

/** Faults in error responses, and with a backend that is down. */
export const errorFaults: readonly Fault[] = [
  fault([], "an error response keeps a login", { status: () => undefined }),
  fault([], "a 4xx keeps a login", { status: (session, status) => status >= 500 && dropLogin(session) }),
  fault([], "a 5xx keeps a login", {
    status: (session, status) => reportsError(status) && status < 500 && dropLogin(session),
  }),
  fault([], "a login is dropped after the commit", {
    status: () => undefined,
    async seal(session, res) {
      const result = await sound.seal(session, res);
      if (reportsError(res.statusCode)) dropLogin(session);
      return result;
    },
  }),
  fault([], "an error response drops all that was staged", {
    status: (session, status) => reportsError(status) && session.discard(),
  }),
  fault([], "an error response is not committed", {
    seal: (session, res) => (reportsError(res.statusCode) ? nothing() : sound.seal(session, res)),
    lastByte: (session, res) => (reportsError(res.statusCode) ? nothing() : session.commit()),
  }),
  fault([], "an error response commits, and loses the cookie", {
    cookie(setCookie, headers, res) {
      if (!reportsError(res.statusCode)) sound.cookie(setCookie, headers, res);
    },
  }),
  fault([], "an error response ends the session", {
    async seal(session, res) {
      if (reportsError(res.statusCode)) await session.logout();
      return sound.seal(session, res);
    },
  }),
  fault([], "a redirect drops a login", { status: (session, status) => status >= 300 && dropLogin(session) }),
  fault([], "the session accepts properties", {
    open: async (sessions, req, touch) => new Proxy(await sound.open(sessions, req, touch), { set: () => true }),
  }),
  fault([], "down is logged out: a failed read opens a new session", {
    open: (sessions, req, touch) =>
      sound.open(sessions, req, touch).catch(() => sound.open(sessions, Object.create(req, { headers: { value: {} } }), touch)),
  }),
  fault([], "a failed commit is ignored", { seal: (session, res) => sound.seal(session, res).catch(nothing) }),
  fault([], "a failed commit of a guest is ignored", {
    seal: (session, res) =>
      sound.seal(session, res).catch((error: unknown) => {
        if (session.isNew) return nothing();
        throw error;
      }),
  }),
  handingOn([], "the adapter sends the error's message as its own page", (error, _, res) => {
    res.statusCode = 503;
    res.end(String(error));
  }),
  handingOn([], "an error is wrapped in another one", (cause, next) =>
    next(new Error("the session failed", { cause })),
  ),
  handingOn([], "an error has the status 500", (error, next) => {
    if (error instanceof Error) Object.defineProperty(error, "status", { value: 500 });
    next(error);
  }),
  handingOn([], "an error has no Retry-After", (error, next) => {
    if (error instanceof Error) Object.defineProperty(error, "headers", { value: {} });
    next(error);
  }),
  handingOn([], "an error reaches the framework twice", (error, next) => {
    next(error);
    next(error);
  }),
  fault([], "the error page keeps the handler's headers", {
    takeBack: (res) => void (res.statusCode = 200),
  }),
  fault([], "the error page keeps the handler's Content-Length", {
    takeBack(res, before) {
      const length = res.getHeader("Content-Length");
      sound.takeBack(res, before);
      if (length !== undefined) res.setHeader("Content-Length", length);
    },
  }),
  fault([], "a response whose commit fails late is ended like a complete one", { cut: (res) => res.end() }),
  fault([], "a response whose commit fails late hangs", { cut: () => undefined }),
];
