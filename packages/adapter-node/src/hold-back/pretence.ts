import type { ServerResponse } from "node:http";
import type { Call } from "./beneath.ts";
import { isGone, isHttp1 } from "./headers.ts";

/** Sets a property for the handler: a response that is held back must look sent. */
export function pretend(
  response: ServerResponse,
  property: "headersSent" | "writableEnded" | "finished",
  value: boolean,
): void {
  const res: Record<typeof property, boolean> = response;
  // In HTTP/2 `finished` is a getter of the prototype. Others stay: deleting a property makes the object slow.
  if (property === "finished" && !value && !isHttp1(response)) Reflect.deleteProperty(res, property);
  else if (Object.hasOwn(res, property)) res[property] = value;
  else Object.defineProperty(res, property, { value, writable: true, configurable: true });
}

/** Calls back when the current code has returned: before later microtasks, and before events that Node emits in ticks. */
export function onceReturned(call: () => void): void {
  queueMicrotask(call);
  process.nextTick(call);
}

/** Passes an error to the callbacks of the held calls. */
export function tellCallbacks(res: ServerResponse, calls: readonly Call[], error: unknown): void {
  const tell = (): void => {
    for (const callback of calls.map(({ args }) => args.at(-1)))
      if (typeof callback === "function") callback(error);
  };
  // Only when the response has closed: earlier, a callback may write a second response, or cut the connection.
  if (isGone(res)) process.nextTick(tell);
  else res.once("close", tell);
}
