import { setTimeout } from "node:timers/promises";

/**
 * Waits a random time after a lost race, longer after each loss, so that the same two calls do not collide again.
 *
 * @param lost How many times in a row the caller has lost, 1 or more.
 */
export const pause = (lost: number): Promise<void> => setTimeout(Math.random() * Math.min(2 ** lost, 250));
