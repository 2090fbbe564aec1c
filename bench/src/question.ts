import type { Chart } from "./charts.ts";

/** Options of a run. */
export interface RunOptions {
  /** Does only enough to show that everything runs. The figures say nothing. */
  readonly quick: boolean;
  /** Prints the current step. */
  progress(what: string): void;
}

/** Figures for a reader: absolute ones beside the ratio. */
interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A target, and the result. */
export interface Verdict {
  readonly what: string;
  readonly target: string;
  readonly reached: string;
  readonly ok: boolean;
}

/** One measurement, as a flat object that a chart or a script can read. */
export type Figure = Readonly<Record<string, string | number | boolean | undefined>>;

/** The results of a question. */
export interface Result {
  readonly figures: readonly Figure[];
  readonly tables: readonly Table[];
  readonly charts: readonly Chart[];
  readonly verdicts: readonly Verdict[];
  /** Notes: measurements that were not possible here, and facts for reading the figures. */
  readonly notes: readonly string[];
}

/** A question that people ask about a session library. */
export interface Question {
  readonly number: number;
  readonly title: string;
  run(options: RunOptions): Promise<Result>;
}
