// Bun and Deno run this. Each line that comes in is the title of a case; its outcome goes out as a line of JSON.
import process from "node:process";
import { createInterface } from "node:readline";
import { inspect } from "node:util";
import { type Server, type Start, type TestFunction, testHttpCases } from "@sessions/http-cases";
import { applications, type Fetch } from "../applications.ts";

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
    return { port: server.port, close: () => server.stop(true) };
  }
  const closing = new AbortController();
  const { addr } = Deno.serve({ ...free, signal: closing.signal, onListen: () => undefined }, fetch);
  return { port: addr.port, close: () => closing.abort() };
}

const build = applications[process.argv[2] ?? ""];
if (!build) throw new Error(`There is no application "${process.argv[2]}"`);
const start: Start = async (application) => listen(build(application));

const cases = new Map<string, () => Promise<void>>();
const test: TestFunction = Object.assign(
  (title: string, run: () => Promise<void>) => {
    cases.set(title, run);
  },
  { skip: () => undefined },
);
testHttpCases({ test, start, http2: start });

async function answer(title: string): Promise<void> {
  let error: string | undefined;
  try {
    const run = cases.get(title);
    if (!run) throw new Error(`There is no case "${title}"`);
    await run();
  } catch (thrown) {
    error = inspect(thrown);
  }
  console.log(JSON.stringify({ title, error }));
}

// Ends with who asks. A case that hangs holds up no other.
for await (const title of createInterface({ input: process.stdin })) void answer(title);
process.exit();
