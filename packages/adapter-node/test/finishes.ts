import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Handler } from "./support.ts";

/** A handler that writes `app/n`, and then ends the response. */
export const writing =
  (n: number, finish: Handler): Handler =>
  (visit) => {
    visit.session.store("app").set("n", n);
    return finish(visit);
  };

/** Ways to send "done" with status 201. */
export const FINISHES: Record<string, Handler> = {
  "end(text)": ({ res }) => {
    res.statusCode = 201;
    res.end("done");
  },
  "end(text, encoding, callback)": ({ res }) => {
    res.statusCode = 201;
    res.end("646f6e65", "hex", () => undefined);
  },
  "end(callback)": ({ res }) =>
    new Promise<void>((resolve) => {
      res.statusCode = 201;
      res.write("done");
      res.end(resolve);
    }),
  "writeHead(status), end": ({ res }) => res.writeHead(201).end("done"),
  "writeHead(status, reason, headers), end": ({ res }) =>
    res.writeHead(201, "Created", { "X-Own": "yes" }).end("done"),
  "writeHead(status, headers), write, end": ({ res }) => {
    res.writeHead(201, { "X-Own": "yes" });
    res.write("do");
    res.end("ne");
  },
  "writeHead(status, list), end": ({ res }) => res.writeHead(201, ["X-Own", "yes"]).end("done"),
  "write, end": ({ res }) => {
    res.statusCode = 201;
    res.write("do");
    res.write(Buffer.from("ne"));
    res.end();
  },
  "flushHeaders, end": ({ res }) => {
    res.statusCode = 201;
    res.flushHeaders();
    res.end("done");
  },
  "write with a callback, then end": async ({ res }) => {
    res.statusCode = 201;
    await new Promise<unknown>((resolve) => res.write("do", resolve));
    res.end("ne");
  },
  pipe: ({ res }) => {
    res.statusCode = 201;
    Readable.from(["do", "ne"]).pipe(res);
  },
  "stream.pipeline": ({ res }) => {
    res.statusCode = 201;
    return pipeline(Readable.from(["do", "ne"]), res);
  },
  "stream.pipeline of a generator": ({ res }) => {
    res.statusCode = 201;
    return pipeline(async function* () {
      yield "do";
      yield "ne";
    }, res);
  },
};
