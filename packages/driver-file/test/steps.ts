import type { Driver } from "@sessions/core";

const HOUR = 3_600_000;
/** The number of steps after which the session is destroyed and made again. */
const LIFE = 6;

/** Two fields that are only ever written together. */
export const pair = (name: string, step: number): Map<string, string> =>
  new Map([`${name}/a`, `${name}/b`].map((field) => [field, `${step}`]));

/** The fields of a writer's own session after a number of steps; `undefined` where there is none. */
export const stateAfter = (step: number): { fields: Map<string, string>; principal: string } | undefined =>
  step % LIFE === 0 ? undefined : { fields: pair("own", step), principal: `p${step % 2}` };

export async function ownStep(driver: Driver, id: string, step: number, now: number): Promise<void> {
  const state = stateAfter(step);
  const done =
    state === undefined
      ? await driver.destroy(id, now)
      : step % LIFE === 1
        ? await driver.create(id, { ...state, expiresAt: now + HOUR }, now)
        : (await driver.commit(id, state, now)) === "committed";
  if (!done) throw new Error(`Step ${step} found nothing to do`);
}
