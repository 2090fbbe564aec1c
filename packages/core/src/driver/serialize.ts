/** The end of the last piece of work, for each object and key. Several drivers may share the object. */
const lastWork = new WeakMap<object, Map<string, Promise<void>>>();

/**
 * Does one piece of work after the other. The work begins when all earlier work for the same object and key has ended,
 * even by an error. A single connection needs this, or a call could be sent inside another call's transaction. A backend
 * that can only write whole records needs it too. Several drivers on one object share the queue.
 *
 * The wait has no limit. Check the time when the work begins, and send nothing after the call has timed out.
 *
 * @param owner The object that does one thing at a time, such as a connection.
 * @param key A part of the object with its own queue, such as a record's id.
 * @returns The result of the work, or its rejection.
 * @example
 * declare const client: { query(text: string): Promise<unknown> };
 * const call = createCall({ driver: "mine", timeout: 2_000, translate: () => undefined });
 * const send = (text: string) => call(() => serialize(client, () => client.query(text)));
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
