import { keepFromCaches, varyByCookie, wasRead } from "@sessions/core/adapter-tools";
import { headersOf, type Steps, sound } from "../simple-adapter.ts";
import { type Fault, fault } from "./fault.ts";

type Headers = Parameters<typeof keepFromCaches>[0];

/** Sends the cookie, and keeps it from caches in another way. */
const keeping =
  (keep: (headers: Headers) => void): Steps["cookie"] =>
  (setCookie, headers, res) => {
    res.appendHeader("Set-Cookie", setCookie);
    keep(headers);
  };

const NO_STORE = "private, no-store";

/** Does what the core does, but keeps the headers of some CDNs. */
const without = (kept: RegExp): Steps["cookie"] =>
  keeping((headers) =>
    keepFromCaches({ ...headers, delete: (name) => !kept.test(name) && headers.delete(name) }),
  );

/** Faults in the headers for caches. */
export const cacheFaults: readonly Fault[] = [
  fault(["H5.1", "H5.2", "H5.3", "H5.4", "H5.8"], "Cache-Control is left alone", {
    cookie: keeping(() => undefined),
  }),
  fault(["H5.2", "H5.3", "H5.4", "H5.8"], "Cache-Control is added only where there is none", {
    cookie: keeping((headers) => headers.get("Cache-Control") === undefined && keepFromCaches(headers)),
  }),
  fault(["H5.1"], "Cache-Control is not added where there is none", {
    cookie: keeping((headers) => headers.get("Cache-Control") !== undefined && keepFromCaches(headers)),
  }),
  fault(["H5.3", "H5.4"], "only public is replaced", {
    cookie: keeping((headers) => {
      const own = headers.get("Cache-Control");
      if (own === undefined || own.includes("public")) keepFromCaches(headers);
    }),
  }),
  fault(["H5.3", "H5.4"], "the text private anywhere in Cache-Control is enough", {
    cookie: keeping(
      (headers) => !headers.get("Cache-Control")?.includes("private") && keepFromCaches(headers),
    ),
  }),
  fault(["H5.5"], "directives are compared with case", {
    cookie: keeping((headers) => {
      if (headers.get("Cache-Control")?.includes("Private")) headers.set("Cache-Control", NO_STORE);
      else keepFromCaches(headers);
    }),
  }),
  fault(["H5.5", "H5.6"], "the application's own Cache-Control is always replaced", {
    cookie: keeping((headers) => {
      keepFromCaches(headers);
      headers.set("Cache-Control", NO_STORE);
    }),
  }),
  fault(["H5.8"], "CDN-Cache-Control is kept", { cookie: without(/^cdn-cache-control$/i) }),
  fault(["H5.8"], "Surrogate-Control is kept", { cookie: without(/^surrogate-control$/i) }),
  fault(["H5.8"], "X-Accel-Expires is kept", { cookie: without(/^x-accel-expires$/i) }),
  fault(["H5.7", "H2.1", "H2.3", "H5.8"], "every response is kept from caches", {
    vary(session, headers) {
      sound.vary(session, headers);
      keepFromCaches(headers);
    },
  }),
  fault(["H5.7", "H2.3", "H5.8"], "a visitor's response is kept from caches", {
    vary(session, headers) {
      sound.vary(session, headers);
      if (!session.isNew) keepFromCaches(headers);
    },
  }),
  fault(["H5.9", "H5.11"], "no response has Vary", { vary: () => undefined }),
  fault(["H5.9"], "Vary replaces that of the application", {
    vary: (session, headers) => wasRead(session) && headers.set("Vary", "Cookie"),
  }),
  fault(["H5.9"], "Vary is appended although it is there", {
    vary: (session, headers) =>
      wasRead(session) && headers.set("Vary", [headers.get("Vary"), "Cookie"].filter(Boolean).join(", ")),
  }),
  fault(["H5.10"], "every response has Vary", { vary: (_, headers) => varyByCookie(headers) }),
  fault(["H5.9", "H5.10", "H5.11"], "only a visitor's response has Vary", {
    vary: (session, headers) => !session.isNew && sound.vary(session, headers),
  }),
  fault(["H5.11"], "the option vary is ignored", {
    seal(session, res) {
      if (wasRead(session)) varyByCookie(headersOf(res));
      return sound.seal(session, res);
    },
  }),
];
