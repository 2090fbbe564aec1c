import type { ServerResponse } from "node:http";
import type { Call } from "./beneath.ts";
import { isGone, isHttp1 } from "./headers.ts";

/** To the handler a response that is held back is one that was sent. */
export function pretend(
  response: ServerResponse,
  property: "headersSent" | "writableEnded" | "finished",
  value: boolean,
): void {
  const res: Record<typeof property, boolean> = response;
  // A field of Node's own in HTTP/1 alone. Of the others the property stays, because deleting it makes every use slow.
  if (property === "finished" && !value && !isHttp1(response)) Reflect.deleteProperty(res, property);
  else if (Object.hasOwn(res, property)) res[property] = value;
  else Object.defineProperty(res, property, { value, writable: true, configurable: true });
}

/** Calls once the program has returned: before any later microtask, and before the events that Node emits by ticks. */
export function onceReturned(call: () => void): void {
  queueMicrotask(call);
  process.nextTick(call);
}

/** Tells an error to the callbacks of calls that were held back. */
export function tellCallbacks(res: ServerResponse, calls: readonly Call[], error: unknown): void {
  const tell = (): void => {
    for (const callback of calls.map(({ args }) => args.at(-1)))
      if (typeof callback === "function") callback(error);
  };
  // When the response is over: a program that hears of it earlier may answer too, or cut the connection.
  if (isGone(res)) process.nextTick(tell);
  else res.once("close", tell);
}
