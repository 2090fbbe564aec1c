import type { ServerResponse } from "node:http";
import type { Session } from "@sessions/core";
import type { Listener } from "./target.ts";

/** Calls a listener for each event of a `node:http` response. For the head it wraps `writeHead`, as `on-headers` does. */
export function listenTo(res: ServerResponse, { heard }: Listener, session: () => Session | undefined): void {
  const hear = (event: Parameters<Listener["heard"]>[0]): void => {
    const known = session();
    if (known) heard(event, known);
  };
  const { writeHead } = res;
  let isOut = false;
  Object.assign(res, {
    writeHead(...args: unknown[]) {
      if (!isOut) {
        isOut = true;
        hear("head");
      }
      return Reflect.apply(writeHead, res, args);
    },
  });
  res.on("finish", () => hear("finish"));
  res.on("close", () => hear("close"));
}
