import type { Chart } from "./charts.ts";

/** How a run was asked for. */
export interface RunOptions {
  /** As little as shows that everything runs; its figures say nothing. */
  readonly quick: boolean;
  /** Tells who waits what is being done. */
  progress(what: string): void;
}

/** Figures for a reader: absolute ones stand beside the ratio. */
interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** What was aimed at, and what came out. */
export interface Verdict {
  readonly what: string;
  readonly target: string;
  readonly reached: string;
  readonly ok: boolean;
}

/** One measured thing, flat, so that a chart or a reader's own script takes it as it is. */
export type Figure = Readonly<Record<string, string | number | boolean | undefined>>;

/** What a question found. */
export interface Result {
  readonly figures: readonly Figure[];
  readonly tables: readonly Table[];
  readonly charts: readonly Chart[];
  readonly verdicts: readonly Verdict[];
  /** What could not be measured here, or must be known to read the figures. */
  readonly notes: readonly string[];
}

/** One of the things that people ask of a session library. */
export interface Question {
  readonly number: number;
  readonly title: string;
  run(options: RunOptions): Promise<Result>;
}
