import type { ServerResponse } from "node:http";
import { headersWereSent, isHttp1 } from "./headers.ts";

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

type HeaderMethods = Pick<ServerResponse, "setHeader" | "appendHeader" | "removeHeader">;

/** Has the methods that change headers throw while the response is held back, and returns them as they were. */
export function guardHeaders(res: ServerResponse, isHeld: () => boolean): HeaderMethods {
  const { setHeader, appendHeader, removeHeader } = res;
  const guarded =
    <A extends unknown[], R>(original: (...args: A) => R) =>
    (...args: A): R => {
      if (isHeld()) throw headersWereSent();
      return Reflect.apply(original, res, args);
    };
  res.setHeader = guarded(setHeader);
  res.appendHeader = guarded(appendHeader);
  res.removeHeader = guarded(removeHeader);
  return { setHeader, appendHeader, removeHeader };
}
