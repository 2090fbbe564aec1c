import type { ServerResponse } from "node:http";
import type { Session } from "@sessions/core";

/** An event of a response: its head goes out, all of it was passed to the system, it has ended. */
export type ResponseEvent = "head" | "finish" | "close";

/** Another middleware that listens to each response. */
export interface Listener {
  /** Whether it is mounted before or after the adapter's middleware. */
  readonly mounted: "before" | "after";
  heard(event: ResponseEvent, session: Session): void;
}

/** Calls a listener for each event of a `node:http` response. For the head it wraps `writeHead`, as `on-headers` does. */
export function listenTo(res: ServerResponse, { heard }: Listener, session: () => Session | undefined): void {
  const hear = (event: ResponseEvent): void => {
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
