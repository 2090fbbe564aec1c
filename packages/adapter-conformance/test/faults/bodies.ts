import { ServerResponse } from "node:http";
import { sound } from "../simple-adapter.ts";
import { above, beneath, type Fault, fault, nothing } from "./fault.ts";

/** Faults in responses and streams, and beside other middlewares. */
export const bodyFaults: readonly Fault[] = [
  fault(["H7.1", "H3.2", "H3.3", "H3.7", "H3.8", "H10.4"], "a response with status 204 is not committed", {
    seal: (session, res) => (res.statusCode === 204 ? nothing() : sound.seal(session, res)),
  }),
  fault(["H7.2", "H3.2", "H3.3", "H3.7", "H3.8"], "a response with status 304 is not committed", {
    seal: (session, res) => (res.statusCode === 304 ? nothing() : sound.seal(session, res)),
  }),
  fault(["H7.1", "H7.2"], "a response with the session's cookie loses its ETag", {
    cookie(setCookie, headers, res) {
      res.removeHeader("ETag");
      sound.cookie(setCookie, headers, res);
    },
  }),
  fault(["H7.9", "H7.10"], "a response with the session's cookie loses its Content-Length", {
    cookie(setCookie, headers, res) {
      res.removeHeader("Content-Length");
      sound.cookie(setCookie, headers, res);
    },
  }),
  above(["H7.10"], "a response to HEAD has the length of what was written", (res, req) => {
    const { end } = res;
    if (req.method !== "HEAD") return;
    Object.assign(res, {
      end() {
        res.setHeader("Content-Length", 0);
        return Reflect.apply(end, res, []);
      },
    });
  }),
  above(
    ["H7.4", "H1.7", "H7.8", "H7.11", "H10.3", "H10.4"],
    "a stream with a new cookie is collected before it is sent",
    (res, req) => {
      const { write, end } = res;
      const isNew = (): boolean => req.session?.isNew === true && req.session.storeNames().length > 0;
      const chunks: Uint8Array[] = [];
      Object.assign(res, {
        write: (chunk: Uint8Array): unknown =>
          isNew() ? chunks.push(chunk) > 0 : Reflect.apply(write, res, [chunk]),
        end: (last?: string | (() => void)) =>
          Reflect.apply(end, res, chunks.length > 0 ? [Buffer.concat(chunks)] : [last]),
      });
    },
  ),
  beneath(["H7.5"], "drain is lost after many pieces", (res) => {
    const { emit } = res;
    let left = 100;
    Object.assign(res, {
      emit: (event: string, ...args: unknown[]) =>
        (event !== "drain" || left-- > 0) && Reflect.apply(emit, res, [event, ...args]),
    });
  }),
  above(["H7.11"], "write() always returns true", (res) => {
    const { write } = res;
    Object.assign(res, {
      write(...args: unknown[]) {
        Reflect.apply(write, res, args);
        return true;
      },
    });
  }),
  beneath(["H7.5"], "a large piece is cut", (res) => {
    const { write } = res;
    Object.assign(res, {
      write: (chunk: Uint8Array, ...more: unknown[]) =>
        Reflect.apply(write, res, [chunk.slice(0, 8192), ...more]),
    });
  }),
  fault(["H7.6", "H3.2", "H3.3"], "the session is not sealed", { seal: (session) => session.commit() }),
  above(["H7.7", "H10.7"], "a stream that fails is ended like a complete one", (res) => {
    Object.assign(res, { destroy: () => res.end() });
  }),
  beneath(["H7.8", "H10.3", "H11.4", "H11.5", "H11.6", "H11.7"], "close is lost", (res) => {
    const { emit } = res;
    Object.assign(res, {
      emit: (event: string, ...args: unknown[]) =>
        event !== "close" && Reflect.apply(emit, res, [event, ...args]),
    });
  }),
  fault(["H3.6", "H3.7", "H3.8", "H3.9"], "middlewares that were mounted later hear of no head", {
    tell: () => undefined,
  }),
  beneath(
    ["H3.1", "H3.2", "H3.3", "H3.4"],
    "middlewares that were mounted earlier hear of no head",
    (res) => {
      Object.assign(res, {
        writeHead: (...args: unknown[]) => Reflect.apply(ServerResponse.prototype.writeHead, res, args),
      });
    },
  ),
  fault(["H3.5"], "a late write of a middleware beneath breaks the response", { head: (send) => send() }),
  fault(["H3.4"], "every error of a middleware beneath is ignored", {
    head(send) {
      try {
        send();
      } catch {
        send();
      }
    },
  }),
  fault(["H3.9"], "every error of a middleware above is ignored", {
    tell(res) {
      try {
        sound.tell(res);
      } catch {
        // The response goes on.
      }
    },
  }),
];
