import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { findService } from "../services.ts";
import { type Site, serviceOf } from "../sites.ts";
import { createVisitor, type Visitor } from "./visitor.ts";

/** A running site, in its own process. */
export interface RunningSite {
  readonly site: Site;
  /** `http://127.0.0.1:port`. */
  readonly origin: string;
  /** Makes a visitor, without cookies or with those of a Cookie header. */
  visitor(cookie?: string): Visitor;
  /** Microseconds of processor time that its process has used so far, on all threads. */
  cpu(): Promise<number>;
  close(): Promise<void>;
}

const SERVE = fileURLToPath(new URL("../sites/serve.ts", import.meta.url));
const PATIENCE_MS = 60_000;

/** Starts a site on its backend, directly or by way of `through`. Returns a sentence if something is missing. */
export async function startSite(
  site: Site,
  through?: (url: string) => Promise<string>,
): Promise<RunningSite | string> {
  const name = serviceOf(site);
  let url = "";
  if (name !== undefined) {
    const found = await findService(name);
    if ("missing" in found) return `${site.label}: ${found.missing}`;
    url = (await through?.(found.url)) ?? found.url;
  }
  const child = fork(SERVE, [site.module, site.keeping, url], {
    env: { ...process.env, NODE_ENV: "production" },
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let errors = "";
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    errors = (errors + chunk).slice(-4_000);
  });
  const failed = (): Error => new Error(`The site ${site.label} stopped early:\n${errors}`);
  const { port } = field(await nextMessage(child, failed), "address");
  const origin = `http://127.0.0.1:${port}`;
  return {
    site,
    origin,
    visitor: (cookie) => createVisitor(origin, cookie, () => `${site.label} said:\n${errors}`),
    async cpu() {
      const answered = nextMessage(child, failed);
      child.send("cpu");
      const { user, system } = field(await answered, "cpu");
      return Number(user) + Number(system);
    },
    async close() {
      const gone = once(child, "exit");
      child.send("close");
      // A client that does not close must not hold up the run.
      const force = setTimeout(10_000, undefined, { ref: false }).then(() => child.kill("SIGKILL"));
      await Promise.race([gone, force]);
      await gone;
    },
  };
}

/** Starts several sites, passes those that started to `work`, and closes them. */
export async function withSites<T>(
  sites: readonly Site[],
  notes: string[],
  work: (running: readonly RunningSite[]) => Promise<T>,
): Promise<T> {
  const running: RunningSite[] = [];
  try {
    for (const site of sites) {
      const started = await startSite(site);
      if (typeof started === "string") notes.push(`Not measured: ${started}`);
      else running.push(started);
    }
    return await work(running);
  } finally {
    for (const one of running) await one.close();
  }
}

async function nextMessage(child: ChildProcess, failed: () => Error): Promise<unknown> {
  const over = new AbortController();
  const { signal } = over;
  try {
    return await Promise.race([
      once(child, "message", { signal }).then(([message]: unknown[]) => message),
      // The last output may arrive after the process has ended, but before its pipe is closed.
      once(child, "close", { signal }).then(() => Promise.reject(failed())),
      setTimeout(PATIENCE_MS, undefined, { signal }).then(() => Promise.reject(failed())),
    ]);
  } finally {
    over.abort();
  }
}

function field(message: unknown, name: string): Record<string, unknown> {
  const value: unknown = Object(message)[name];
  if (typeof value !== "object" || value === null) throw new Error(`A site's process sent no ${name}.`);
  return { ...value };
}
