import { performance } from "node:perf_hooks";
import autocannon from "autocannon";
import type { RunningSite } from "./site.ts";
import { quantile } from "./statistics.ts";

/** The measurements of a site under load. */
export interface Loaded {
  /** Processor time of the site's process for one request, in microseconds. */
  readonly cpu: number;
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

/** A request to repeat. Each connection has its own cookies, so that none waits for another's row. */
export interface Load {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Empty: requests without a cookie. */
  readonly cookies: readonly string[];
  readonly connections: number;
  /** The duration, or a number of requests for `--quick`. */
  readonly until: { readonly duration: number } | { readonly amount: number };
}

/**
 * Keeps this process awake until the returned function is called. The system charges the server's process for waking a
 * sleeping client, and a server that is as fast as its client avoids that. Without this, the measured cost of a session
 * would include wake-ups, and a site without sessions would not pay them.
 */
function stayAwake(): () => void {
  let next = setImmediate(again);
  function again(): void {
    next = setImmediate(again);
  }
  return () => clearImmediate(next);
}

/** Puts a site under load, and asks its process for the processor time that this took. */
export async function load(running: RunningSite, what: Load): Promise<Loaded> {
  const { method, path, cookies, connections, until } = what;
  const times: number[] = [];
  let clients = 0;
  let last = 0;
  const rest = stayAwake();
  const before = await running.cpu();
  const begun = performance.now();
  const { errors, timeouts, non2xx } = await autocannon({
    ...{ url: running.origin, connections, method, ...until },
    requests: [{ method, path }],
    setupClient(client) {
      client.on("response", (_status, _bytes, time) => {
        times.push(time);
        last = performance.now();
      });
      const first = clients++;
      if (cookies.length === 0) return;
      const own = cookies.filter((_, i) => i % connections === first % connections);
      client.setRequests(own.map((cookie) => ({ method, path, headers: { cookie } })));
    },
    // How often it checks whether the time has ended, in milliseconds.
    sampleInt: 20,
    skipAggregateResult: true,
  });
  const cpu = (await running.cpu()) - before;
  rest();
  if (errors + timeouts + non2xx > 0 || times.length === 0)
    throw new Error(
      `${running.site.label}, ${method} ${path}: ${times.length} responses, ${non2xx} of them bad, ${errors} errors`,
    );
  return {
    cpu: cpu / times.length,
    perSecond: (times.length * 1000) / (last - begun),
    p50: quantile(times, 0.5),
    p99: quantile(times, 0.99),
  };
}
