// Bun and Deno run this. Each line that comes in is the title of a case; its outcome goes out as a line of JSON.
import process from "node:process";
import { createInterface } from "node:readline";
import type { Server } from "@sessions/adapter-conformance";
import { applications, type Fetch } from "../applications.ts";
import { byTitle } from "./by-title.ts";

interface Listen {
  hostname: string;
  port: number;
}

declare const Bun: { serve(options: Listen & { fetch: Fetch }): { port: number; stop(drop: true): unknown } };
declare const Deno: {
  serve(
    options: Listen & { onListen(): void; signal: AbortSignal },
    fetch: Fetch,
  ): { addr: { port: number } };
};

function listen(fetch: Fetch): Server {
  const free: Listen = { hostname: "127.0.0.1", port: 0 };
  if ("Bun" in globalThis) {
    const server = Bun.serve({ ...free, fetch });
    return { url: `http://127.0.0.1:${server.port}`, close: () => server.stop(true) };
  }
  const closing = new AbortController();
  const { addr } = Deno.serve({ ...free, signal: closing.signal, onListen: () => undefined }, fetch);
  return { url: `http://127.0.0.1:${addr.port}`, close: () => closing.abort() };
}

const build = applications[process.argv[2] ?? ""];
if (!build) throw new Error(`There is no application "${process.argv[2]}"`);
const run = byTitle({
  start: (application) => listen(build(application)),
  http2: process.argv[3] === "http2",
});

// Ends when its input ends. A case that hangs does not block the others.
for await (const title of createInterface({ input: process.stdin }))
  void run(title).then((outcome) => console.log(JSON.stringify(outcome)));
process.exit();
