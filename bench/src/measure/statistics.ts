/** The result of several rounds: the median, and the quartiles. */
export interface Spread {
  readonly median: number;
  readonly lower: number;
  readonly upper: number;
}

/** Returns the value below which the given share of the numbers lies, interpolated between two neighbours. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}

/** Median and quartiles. */
export function spread(numbers: readonly number[]): Spread {
  return { median: quantile(numbers, 0.5), lower: quantile(numbers, 0.25), upper: quantile(numbers, 0.75) };
}

/** `12.3 (11.9–13.0)`: the median, and the quartiles beside it. */
export function showSpread({ median, lower, upper }: Spread, digits = 1): string {
  return `${show(median, digits)} (${show(lower, digits)}–${show(upper, digits)})`;
}

/** Formats a number for a reader, with separated thousands. */
export function show(number: number, digits = 0): string {
  return number.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
