import { ServerResponse } from "node:http";
import { sound } from "../simple-adapter.ts";
import { above, beneath, type Fault, fault, nothing } from "./fault.ts";

/** Faults in responses and streams, and beside other middlewares. */
export const bodyFaults: readonly Fault[] = [
  fault([], "a response with status 204 is not committed", {
    seal: (session, res) => (res.statusCode === 204 ? nothing() : sound.seal(session, res)),
  }),
  fault([], "a response with status 304 is not committed", {
    seal: (session, res) => (res.statusCode === 304 ? nothing() : sound.seal(session, res)),
  }),
  fault([], "a response with the session's cookie loses its ETag", {
    cookie(setCookie, headers, res) {
      res.removeHeader("ETag");
      sound.cookie(setCookie, headers, res);
    },
  }),
  fault([], "a response with the session's cookie loses its Content-Length", {
    cookie(setCookie, headers, res) {
      res.removeHeader("Content-Length");
      sound.cookie(setCookie, headers, res);
    },
  }),
  above([], "a response to HEAD has the length of what was written", (res, req) => {
    const { end } = res;
    if (req.method !== "HEAD") return;
    Object.assign(res, {
      end() {
        res.setHeader("Content-Length", 0);
        return Reflect.apply(end, res, []);
      },
    });
  }),
  above([], "a stream is collected before it is sent", (res) => {
    const { end } = res;
    const chunks: Uint8Array[] = [];
    Object.assign(res, {
      write: (chunk: Uint8Array) => chunks.push(Buffer.from(chunk)) > 0,
      end: (last?: string | (() => void)) =>
        Reflect.apply(end, res, [Buffer.concat([...chunks, Buffer.from(typeof last === "string" ? last : "")])]),
    });
  }),
  beneath([], "drain is lost while a client is slow", (res) => {
    const { write, emit } = res;
    let isSlow = false;
    Object.assign(res, {
      write(...args: unknown[]) {
        const isRoom: unknown = Reflect.apply(write, res, args);
        isSlow = isRoom === false;
        return isRoom;
      },
      emit: (event: string, ...args: unknown[]) =>
        (event !== "drain" || !isSlow) && Reflect.apply(emit, res, [event, ...args]),
    });
  }),
  above([], "write() always returns true", (res) => {
    const { write } = res;
    Object.assign(res, {
      write(...args: unknown[]) {
        Reflect.apply(write, res, args);
        return true;
      },
    });
  }),
  beneath([], "a large piece is cut", (res) => {
    const { write } = res;
    Object.assign(res, {
      write: (chunk: Uint8Array, ...more: unknown[]) => Reflect.apply(write, res, [chunk.slice(0, 8192), ...more]),
    });
  }),
  fault([], "the session is not sealed", { seal: (session) => session.commit() }),
  above([], "a stream that fails is ended like a complete one", (res) => {
    Object.assign(res, { destroy: () => res.end() });
  }),
  beneath([], "close is lost", (res) => {
    const { emit } = res;
    Object.assign(res, {
      emit: (event: string, ...args: unknown[]) => event !== "close" && Reflect.apply(emit, res, [event, ...args]),
    });
  }),
  fault([], "middlewares that were mounted later hear of no head", { tell: () => undefined }),
  beneath([], "middlewares that were mounted earlier hear of no head", (res) => {
    Object.assign(res, {
      writeHead: (...args: unknown[]) => Reflect.apply(ServerResponse.prototype.writeHead, res, args),
    });
  }),
  fault([], "a late write of a middleware beneath breaks the response", { head: (send) => send() }),
  fault([], "every error of a middleware beneath is ignored", {
    head(send) {
      try {
        send();
      } catch {
        send();
      }
    },
  }),
  fault([], "every error of a middleware above is ignored", {
    tell(res) {
      try {
        sound.tell(res);
      } catch {
        // The response goes on.
      }
    },
  }),
];
