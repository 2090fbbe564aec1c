import { setTimeout } from "node:timers/promises";

/**
 * After a lost race: waits a moment of random length, longer after each loss, so that the same two calls do not meet again.
 *
 * @param lost How many times in a row the caller has lost, 1 or more.
 */
export const pause = (lost: number): Promise<void> => setTimeout(Math.random() * Math.min(2 ** lost, 250));
