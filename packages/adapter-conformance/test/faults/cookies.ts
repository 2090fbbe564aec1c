import { openOptionsOf } from "@sessions/core/adapter-tools";
import { type Steps, sound } from "../simple-adapter.ts";
import { type Fault, fault, nothing } from "./fault.ts";

type Req = Parameters<Steps["open"]>[1];

/** Opens with another Cookie header. */
const opening =
  (change: (cookie: string) => string): Steps["open"] =>
  (sessions, req, touch) =>
    sound.open(
      sessions,
      Object.create(req, {
        headers: { value: { ...req.headers, cookie: change(req.headers.cookie ?? "") } },
      }),
      touch,
    );

/** Opens with other facts of the request. */
const knowing =
  (change: (req: Req) => Partial<Parameters<typeof openOptionsOf>[1]>): Steps["open"] =>
  (sessions, req, touch) =>
    sessions.open(
      req.headers.cookie,
      openOptionsOf(sessions, {
        method: req.method,
        header: (name) => [req.headers[name]].flat()[0],
        https: false,
        touch,
        ...change(req),
      }),
    );

const sids = (cookie: string): string[] => cookie.split("; ").filter((one) => one.startsWith("sid="));

const sending =
  (change: (setCookie: string) => string): Steps["cookie"] =>
  (setCookie, headers, res) =>
    sound.cookie(change(setCookie), headers, res);

const SAFE = ["GET", "HEAD"];

/** Faults in cookies, in both directions, and in what an adapter knows of https and of other sites. */
export const cookieFaults: readonly Fault[] = [
  fault(["H2.2"], "the session's cookie replaces those of the application", {
    cookie(setCookie, headers, res) {
      res.removeHeader("Set-Cookie");
      sound.cookie(setCookie, headers, res);
    },
  }),
  fault(["H2.2"], "the session's cookie is lost if the application sets several", {
    cookie(setCookie, headers, res) {
      if (!Array.isArray(res.getHeader("Set-Cookie"))) sound.cookie(setCookie, headers, res);
    },
  }),
  fault(
    ["H8.1", "H2.2", "H2.6", "H4.11", "H5.8", "H6.6", "H9.1", "H9.2", "H9.3", "H13.1", "H13.2", "H13.6"],
    "the session's cookie is sent twice",
    {
      cookie(setCookie, headers, res) {
        res.appendHeader("Set-Cookie", setCookie);
        sound.cookie(setCookie, headers, res);
      },
    },
  ),
  fault(["H2.2", "H2.3"], "the application's cookies are joined into one header", {
    vary(session, headers) {
      const own = headers.get("Set-Cookie");
      if (own !== undefined) headers.set("Set-Cookie", own);
      sound.vary(session, headers);
    },
  }),
  fault(["H2.4"], "the last of several cookies with the name is read", {
    open: opening((cookie) => sids(cookie).at(-1) ?? ""),
  }),
  fault(["H2.4"], "the first of several cookies with the name is read", {
    open: opening((cookie) => sids(cookie)[0] ?? ""),
  }),
  fault(["H2.5"], "no more than 4 KB of the Cookie header is read", {
    open: opening((cookie) => cookie.slice(0, 4096)),
  }),
  fault(["H2.6", "H5.10", "H6.5"], "an unknown cookie is an error", {
    async open(sessions, req, touch) {
      const session = await sound.open(sessions, req, touch);
      if (session.rejected) throw new Error("the cookie is not valid");
      return session;
    },
  }),
  fault(
    ["H2.3", "H4.5", "H5.7", "H5.10", "H8.2", "H8.3", "H13.4", "H13.5", "H13.6"],
    "a visitor's cookie is sent again with every response",
    {
      async seal(session, res) {
        const result = await sound.seal(session, res);
        return session.isNew
          ? result
          : { setCookie: result.setCookie ?? `${res.req.headers.cookie}; Path=/; HttpOnly` };
      },
    },
  ),
  fault(["H2.7", "H2.2"], "the cookie loses HttpOnly", {
    cookie: sending((text) => text.replace("; HttpOnly", "")),
  }),
  fault(["H2.7"], "the cookie loses SameSite", {
    cookie: sending((text) => text.replace(/; SameSite=\w+/, "")),
  }),
  fault(["H2.7"], "the cookie ends with the browser", {
    cookie: sending((text) => text.replace(/; (Max-Age|Expires)=(?!0)[^;]+/g, "")),
  }),
  fault(["H2.7", "H9.3"], "the cookie loses Secure on a socket that is not encrypted", {
    cookie: sending((text) => text.replace("; Secure", "")),
  }),
  fault(["H9.3", "H2.7"], "a Secure cookie is not sent on a socket that is not encrypted", {
    cookie(setCookie, headers, res) {
      if (!setCookie.includes("; Secure")) sound.cookie(setCookie, headers, res);
    },
  }),
  fault(["H13.2"], "the cookie of a logout has the path /", {
    cookie: sending((text) => text.replace(/^(sid=;.*Path=)[^;]+/, "$1/")),
  }),
  fault(["H13.2", "H13.3"], "the cookie of a logout is not sent", {
    cookie(setCookie, headers, res) {
      if (!setCookie.startsWith("sid=;")) sound.cookie(setCookie, headers, res);
    },
  }),
  fault(
    ["H13.1", "H2.6", "H3.8", "H4.11", "H12.2", "H12.3", "H12.4", "H13.2", "H13.3", "H13.5", "H13.6"],
    "a cookie is sent only to a client that has none",
    {
      cookie(setCookie, headers, res) {
        if (!res.req.headers.cookie) sound.cookie(setCookie, headers, res);
      },
    },
  ),
  fault(["H13.4", "H6.1", "H6.2", "H6.3", "H6.4", "H6.5"], "a session that has ended elsewhere is an error", {
    async seal(session) {
      const result = await session.commit({ seal: true });
      if (result.status === "gone") throw new Error("the session has ended");
      return result;
    },
  }),
  fault(
    ["H13.4", "H6.1", "H6.2", "H6.3", "H6.4", "H6.5", "H6.6", "H13.5"],
    "a session that has ended elsewhere clears the cookie",
    {
      async seal(session) {
        const result = await session.commit({ seal: true });
        return result.status === "gone" ? { setCookie: "sid=; Path=/; Max-Age=0" } : result;
      },
    },
  ),
  fault(["H9.2"], "X-Forwarded-Proto is believed", {
    open: knowing((req) => ({ https: req.headers["x-forwarded-proto"] === "https" })),
  }),
  fault(["H9.1"], "https is not recognised behind a proxy", {
    open: knowing((req) => ({
      header: (name) => (name === "host" ? undefined : [req.headers[name]].flat()[0]),
    })),
  }),
  fault(["H9.2"], "any request of a browser counts as https", {
    open: knowing((req) => ({ https: req.headers["sec-fetch-site"] !== undefined })),
  }),
  fault(["H6.1", "H6.2", "H6.3", "H6.4", "H6.5"], "requests from another site are not recognised", {
    open: knowing(() => ({ method: "GET" })),
  }),
  fault(["H6.2", "H6.3", "H6.4"], "a POST alone counts as from another site", {
    open: knowing(({ method }) => ({ method: method === "POST" ? "POST" : "GET" })),
  }),
  fault(["H6.4"], "a form's methods alone count as from another site", {
    open: knowing(({ method }) => ({ method: method === "DELETE" ? "GET" : method })),
  }),
  fault(["H6.5"], "any cookie of the name makes a request one of this site", {
    open: knowing(({ method, headers }) => ({
      method: sids(headers.cookie ?? "").length > 0 ? "GET" : method,
    })),
  }),
  fault(["H6.6"], "a link from another site begins no session", {
    open: knowing(() => ({ method: "POST" })),
  }),
  fault(["H6.6", "H9.1"], "SameSite=Strict is not respected", {
    async open(sessions, req, touch) {
      return SAFE.includes(req.method ?? "")
        ? sessions.open(req.headers.cookie, { touch })
        : sound.open(sessions, req, touch);
    },
  }),
  fault(["H6.7"], "a request from another site never has a session", {
    open: (sessions, req, touch) =>
      (req.headers["sec-fetch-site"] === "cross-site" && !SAFE.includes(req.method ?? "")
        ? opening(() => "")
        : sound.open)(sessions, req, touch),
  }),
  fault(["H7.3", "H6.6"], "a response to HEAD is not committed", {
    seal: (session, res) => (res.req.method === "HEAD" ? nothing() : sound.seal(session, res)),
  }),
];
