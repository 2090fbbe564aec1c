/** The end of the last piece of work for each object and key, whichever drivers share the object. */
const lastWork = new WeakMap<object, Map<string, Promise<void>>>();

/**
 * Does one thing after the other: the work begins once all earlier work for the same object and key has ended, well or
 * badly. A single connection needs it, or a call could be sent in the middle of another call's transaction; so does a
 * backend that knows whole records alone. Several drivers on one object share the queue.
 *
 * Nothing limits the wait. Look at the time when the work begins, and send nothing once the call is over.
 *
 * @param owner What can do one thing at a time: the connection.
 * @param key A part of it that has a queue of its own, such as a record's id.
 * @returns What the work returns, or rejects with.
 * @example
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
