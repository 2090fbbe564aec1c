import process from "node:process";
import { fileURLToPath } from "node:url";
import { freePort, startProgram } from "@sessions/example-tests";
import { onTestFinished } from "vitest";

/** A browser's cookies, and nothing else of a browser. */
export function visitor(url: string): (path: string, form?: Record<string, string>) => Promise<Response> {
  const jar = new Map<string, string>();
  return async (path, form) => {
    const headers = { cookie: [...jar].map((pair) => pair.join("=")).join("; ") };
    const body = form && new URLSearchParams(form);
    const method = form ? "POST" : "GET";
    const response = await fetch(url + path, { method, headers, ...(body && { body }), redirect: "manual" });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (/max-age=0/i.test(cookie)) jar.delete(name);
      else jar.set(name, value);
    }
    return response;
  };
}

/** The blocks of TypeScript in a page. */
export const blocksOf = (page: string): string[] =>
  [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, text = ""]) => text);

/** Starts one of the example's programs from its source, until the test is over. */
export async function startSource(file: string, env: Record<string, string> = {}): Promise<{ url: string }> {
  const running = await startProgram({
    command: process.execPath,
    args: ["--conditions=@sessions/source", `--import=${import.meta.resolve("tsx")}`, `src/${file}`],
    cwd: fileURLToPath(new URL("../", import.meta.url)),
    env: { PORT: String(await freePort()), ...env },
    ready: /http:\/\/localhost:\d+/,
  });
  onTestFinished(() => running.stop());
  return running;
}
