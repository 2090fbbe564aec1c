import type { PostgresExecutor, PostgresResult } from "../executor.ts";

/** The few members of what `neon()` of `@neondatabase/serverless` makes that the driver uses. */
export interface NeonHttpLike {
  query(text: string, values: (string | null)[], options: NeonHttpOptions): PromiseLike<PostgresResult>;
  unsafe(text: string): unknown;
  transaction(...args: never[]): unknown;
}

/** Options of one statement. */
export interface NeonHttpOptions {
  readonly arrayMode: false;
  readonly fullResults: true;
  readonly fetchOptions: { readonly signal: AbortSignal };
}

/** Runs statements on what `neon()` makes: one HTTP request each, which is aborted when it is late. */
export function neonHttp(sql: NeonHttpLike): PostgresExecutor {
  return {
    async run(text, values, limit) {
      const controller = new AbortController();
      limit.onOver(() => void controller.abort());
      const fetchOptions = { signal: controller.signal };
      return sql.query(text, [...values], { arrayMode: false, fullResults: true, fetchOptions });
    },
  };
}
