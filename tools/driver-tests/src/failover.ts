import { type Driver, isSessionError } from "@sessions/core";
import { expect, vi } from "vitest";
import { begin } from "./records.ts";

const SESSIONS = 24;
/** The number of acknowledged commits that each session must see before and after the loss of the server. */
const BEFORE = 10;
const AFTER = 20;

export interface FailoverFigures {
  /** Commits that were acknowledged. */
  readonly acknowledged: number;
  /** Those of them whose field is not there at the end, and sessions that were ended and live again. */
  readonly lost: number;
  /** Calls that rejected with DriverUnavailableError. */
  readonly unavailable: number;
  /** Conflicts, though each session has one writer: with a commit that was lost, or was sent twice. */
  readonly conflicts: number;
}

interface Story {
  readonly id: string;
  /** Numbers whose commit was acknowledged. */
  readonly acknowledged: number[];
  /** How many of them came after the loss of the server. */
  after: number;
}

/**
 * Commits to 24 sessions at a time, one writer for each, while `failOver` ends the server and lets another take its
 * place. Every commit is a compare-and-set with a field of its own. Prints the figures.
 *
 * @param failOver Gets a function that counts the commits that were acknowledged until now.
 */
export async function commitThroughFailover(
  driver: Driver,
  failOver: (acknowledged: () => number) => Promise<void>,
): Promise<FailoverFigures> {
  const stories: Story[] = [];
  for (let i = 0; i < SESSIONS; i++) stories.push({ id: await begin(driver), acknowledged: [], after: 0 });
  const ended: string[] = [];
  for (let i = 0; i < SESSIONS; i++) {
    const id = await begin(driver);
    expect(await driver.destroy(id, Date.now())).toBe(true);
    ended.push(id);
  }
  const count = () => stories.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
  let unavailable = 0;
  let conflicts = 0;
  let failedOver = false;
  // So that a writer ends where another one failed.
  let broken = false;

  async function write(story: Story): Promise<void> {
    let version = 1;
    for (let n = 0; story.after < AFTER && !broken; n++) {
      const change = { fields: new Map([[`n/${n}`, String(n)]]), ifVersion: version };
      const wasFailedOver = failedOver;
      try {
        const outcome = await driver.commit(story.id, change, Date.now());
        if (outcome === "committed") {
          version++;
          story.acknowledged.push(n);
          if (wasFailedOver) story.after++;
          continue;
        }
        expect(outcome).toBe("conflict");
        conflicts++;
      } catch (error) {
        if (!isSessionError(error, "ERR_SESSION_UNAVAILABLE")) throw error;
        unavailable++;
      }
      // The commit may have been made or not, so ask for the version until a server replies.
      const record = await vi.waitFor(() => driver.load(story.id), { timeout: 30_000 });
      version = record?.version ?? 0;
    }
  }

  async function lose(): Promise<void> {
    // Once every session has been written under load.
    await expect
      .poll(() => stories.every(({ acknowledged }) => acknowledged.length > BEFORE), { timeout: 30_000 })
      .toBe(true);
    await failOver(count);
    failedOver = true;
  }

  const fail = (error: unknown): never => {
    broken = true;
    throw error;
  };
  await Promise.all([...stories.map(write), lose()].map((part) => part.catch(fail)));

  let lost = 0;
  for (const { id, acknowledged } of stories) {
    const record = await driver.load(id);
    lost += acknowledged.filter((n) => record?.fields.get(`n/${n}`) !== String(n)).length;
  }
  for (const id of ended) if ((await driver.load(id)) !== undefined) lost++;
  const figures = { acknowledged: count(), lost, unavailable, conflicts };
  console.log("failover", figures);
  // Otherwise nothing was interrupted, and nothing is shown.
  expect(unavailable).toBeGreaterThan(0);
  return figures;
}
