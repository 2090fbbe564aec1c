/** The end of the last work for each object and key. Drivers that share an object share its queue. */
const lastWork = new WeakMap<object, Map<string, Promise<void>>>();

/**
 * Runs work in a queue: it begins after all earlier work for the same object and key has ended, even if that failed. A
 * single connection needs it, so that no call runs inside another call's transaction. A backend that can only replace
 * whole records needs it too. Several drivers on one object share the queue.
 *
 * The wait has no limit. Check the time when the work begins, and send nothing if the call has already ended.
 *
 * @param owner The object that does one thing at a time: the connection.
 * @param key A part of the owner with its own queue, such as a record's id.
 * @returns The result of the work.
 * @example
 * import { createCall, serialize } from "@sessions/core/driver-tools";
 *
 * declare const client: { query(text: string): Promise<unknown> };
 *
 * const call = createCall({ driver: "example", timeout: 2000, translate: () => undefined });
 * export const send = (text: string) => call(() => serialize(client, () => client.query(text)));
 */
export function serialize<T>(owner: object, work: () => Promise<T>, key = ""): Promise<T> {
  const queues = lastWork.get(owner) ?? new Map<string, Promise<void>>();
  lastWork.set(owner, queues);
  const done = (queues.get(key) ?? Promise.resolve()).then(work);
  const forget = (): void => {
    if (queues.get(key) === end) queues.delete(key);
  };
  const end = done.then(forget, forget);
  queues.set(key, end);
  return done;
}
