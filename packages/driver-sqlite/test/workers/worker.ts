// workerd runs this file: in front of a D1, and as the application whose clients the kit tries.
import type { Report, RunOptions, Target } from "@sessions/conformance";
import {
  type D1DatabaseLike,
  type DurableObjectSqlLike,
  type SqliteValue,
  sqliteDriver,
} from "../../src/index.ts";

interface Fetcher {
  fetch(request: Request | string): Promise<Response>;
}
interface D1 extends D1DatabaseLike {
  /** The client's own code, for another line to a database. */
  readonly constructor: new (
    line: Fetcher,
  ) => D1DatabaseLike;
  prepare(sql: string): ReturnType<D1DatabaseLike["prepare"]>;
}

interface Env {
  readonly DB: D1;
  /** Leads through the test's proxy to the D1 of the other process. */
  readonly LINE: Fetcher;
  /** Tells the test what the line is to do. */
  readonly CONTROL: Fetcher;
  readonly OBJECTS: { idFromName(name: string): unknown; get(id: unknown): Fetcher };
}

/** The kit takes random numbers as it is loaded, which a Worker may do only in a request. The driver needs none. */
async function runKit(target: Target, options?: RunOptions): Promise<Response> {
  const { runConformance } = await import("@sessions/conformance");
  return shown(await runConformance(target, options));
}

/** Errors do not survive JSON. */
const shown = ({ results }: Report): Response =>
  Response.json(
    results.map((result) => ({ ...result, error: String(Object(result.error).stack ?? result.error) })),
  );

/** All clauses on the database itself, and those of an outage over the line, which is slower. */
function d1Target({ DB, LINE, CONTROL }: Env, overLine: boolean): Target {
  const client = overLine ? new DB.constructor(LINE) : DB;
  const ask = async (what: string) => void (await CONTROL.fetch(`http://control/${what}`));
  return {
    name: "d1",
    open: (namespace, about) =>
      sqliteDriver({ client, table: namespace, timeout: about?.outage ? 1_000 : 15_000 }),
    ...(overLine && {
      outage: { cut: () => ask("cut"), restore: () => ask("restore"), drop: () => ask("drop") },
    }),
  };
}

interface D1Query {
  readonly sql: string;
  readonly params: SqliteValue[];
}

/** Answers one query of D1's client as D1 does, over HTTP, from the database of this process. */
async function answer(request: Request, { DB }: Env): Promise<Response> {
  const { sql, params }: D1Query = JSON.parse(await request.text());
  try {
    const { meta, ...result } = await DB.prepare(sql)
      .bind(...params)
      .run();
    const found: object[] = "results" in result && Array.isArray(result.results) ? result.results : [];
    const results = { columns: Object.keys(found[0] ?? {}), rows: found.map((row) => Object.values(row)) };
    return Response.json([{ success: true, meta, results }]);
  } catch (error) {
    const message = error instanceof Error ? error.message : "";
    return Response.json({ success: false, error: message.replace("D1_ERROR: ", "") }, { status: 500 });
  }
}

export class KitObject {
  readonly #sql: DurableObjectSqlLike;
  constructor(context: { readonly storage: { readonly sql: DurableObjectSqlLike } }) {
    this.#sql = context.storage.sql;
  }
  async fetch(): Promise<Response> {
    const client = this.#sql;
    return runKit({ name: "durable object", open: (table) => sqliteDriver({ client, table }) });
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/kit/d1") return runKit(d1Target(env, false));
    if (pathname === "/kit/d1-line") return runKit(d1Target(env, true), { rules: ["R11"] });
    if (pathname === "/kit/object")
      return env.OBJECTS.get(env.OBJECTS.idFromName("kit")).fetch("http://object/");
    return answer(request, env);
  },
};
