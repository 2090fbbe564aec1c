/**
 * Measures several contestants in turns, so that other work of the machine disturbs all of them alike. Each round asks
 * each contestant once and begins with another one. The first round warms them up and is discarded. Returns, for each
 * contestant, one sample for each round.
 */
export async function inTurns<C, S>(
  contestants: readonly C[],
  rounds: number,
  measure: (contestant: C, round: number) => Promise<S>,
): Promise<Map<C, S[]>> {
  const samples = new Map<C, S[]>(contestants.map((contestant) => [contestant, []]));
  for (let round = 0; round <= rounds; round++) {
    for (let i = 0; i < contestants.length; i++) {
      const contestant = contestants[(i + round) % contestants.length];
      // The index is within the bounds.
      if (contestant === undefined) continue;
      const sample = await measure(contestant, round);
      if (round > 0) samples.get(contestant)?.push(sample);
    }
  }
  return samples;
}
