import type { ServerResponse } from "node:http";
import { isHttp1 } from "./headers.ts";

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
