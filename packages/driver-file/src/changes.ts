import { performance } from "node:perf_hooks";
import { DriverUnavailableError, type StoredRecord } from "@sessions/core";
import type { Folders } from "./folders.ts";

/** The effect of a change on a record. */
export interface Decision<T> {
  /** The result of the driver's method. */
  readonly result: T;
  /** The record to store; `null` ends the record, and without it the record stays. */
  readonly next?: StoredRecord | null;
}

interface ChangeRules<T> {
  /** The time after which the change is not made, by `performance.now()`. */
  readonly end: number;
  /** Whether the change must survive a loss of power. */
  readonly lasting: boolean;
  /** Decides the change. It must be pure, because it is called again when another process was first. */
  decide(record: StoredRecord | undefined): Decision<T>;
}

export type ChangeRecord = <T>(id: string, rules: ChangeRules<T>) => Promise<T>;

interface Waiting {
  readonly end: number;
  readonly lasting: boolean;
  decide(record: StoredRecord | undefined): StoredRecord | null | undefined;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Changes records, one change of a record after the other. The changes that wait in this process are decided on one
 * reading and published by one writing, so that a hundred at once cost little more than one.
 */
export function createChanges(folders: Pick<Folders, "begin">): ChangeRecord {
  const queues = new Map<string, Waiting[]>();

  async function decideGroup(id: string, group: readonly Waiting[]): Promise<void> {
    for (;;) {
      const isDue = ({ end }: Waiting): boolean => performance.now() < end;
      const due = group.filter(isDue);
      for (const waiting of group)
        if (!due.includes(waiting))
          waiting.reject(
            new DriverUnavailableError(
              "file: no time was left for the change, and it was not made. Try again.",
            ),
          );
      if (due.length === 0) return;
      const isLate = (): boolean => !due.every(isDue);
      const attempt = await folders.begin(id);
      let { record } = attempt;
      let [changed, lasting] = [false, false];
      for (const waiting of due) {
        const next = waiting.decide(record);
        if (next === undefined) continue;
        record = next ?? undefined;
        changed = true;
        lasting ||= waiting.lasting;
      }
      if (!changed) await attempt.leave();
      else if (!(await attempt.replace(record ?? null, { isLate, lasting }))) continue;
      for (const waiting of due) waiting.resolve();
      return;
    }
  }

  async function work(id: string, queue: Waiting[]): Promise<void> {
    while (queue.length > 0) {
      const group = queue.splice(0);
      try {
        await decideGroup(id, group);
      } catch (error) {
        for (const waiting of group) waiting.reject(error);
      }
    }
    queues.delete(id);
  }

  return <T>(id: string, { end, lasting, decide }: ChangeRules<T>) =>
    new Promise<T>((resolve, reject) => {
      let decision: Decision<T> | undefined;
      const waiting: Waiting = {
        end,
        lasting,
        decide(record) {
          decision = decide(record);
          return decision.next;
        },
        resolve: () => decision && resolve(decision.result),
        reject,
      };
      const queue = queues.get(id);
      if (queue) {
        queue.push(waiting);
        return;
      }
      const begun = [waiting];
      queues.set(id, begun);
      void work(id, begun);
    });
}
