import { EventEmitter, once } from "node:events";
import type { Server } from "node:http";

import type { Keeping } from "../sites.ts";

/** A site to serve, and a function that removes its data. */
export interface OpenedSite {
  readonly server: Server;
  close(): Promise<unknown>;
}

/** The type of `open`, which each module of this folder exports. */
export type OpenSite = (where: { keeping: Keeping; url: string }) => Promise<OpenedSite>;

/** One request's session, through the library of the site. */
export interface Visit {
  get(key: string): unknown;
  set(key: string, value: unknown): unknown;
  /** Counts in the way of the library's documentation. */
  increment(key: string): unknown;
  entries(): object;
  /** Logs in with the library's own protection against session fixation. */
  login(user: string): unknown;
  logout(): unknown;
}

/** The response of a site without sessions. */
export const noVisit: Visit = {
  get: () => undefined,
  set: () => {},
  increment: () => {},
  entries: () => ({}),
  login: () => {},
  logout: () => {},
};

const gate = new EventEmitter().setMaxListeners(0);
let waiting = 0;
let writes = 0;

/** Waits until this many requests have come to this process, or until another request releases it. */
async function wait(together: number): Promise<void> {
  waiting++;
  const opened = once(gate, "open");
  if (waiting === together) gate.emit("open");
  await opened;
  waiting--;
}

/** About 1 KB: the data of one item in a cart. */
export function thing(i: number): object {
  const text = Array.from(
    { length: 16 },
    (_, line) => `Line ${line} of what is said of thing ${i}, and more of the same.`,
  );
  return { id: `thing-${i}`, count: i, added: 1_700_000_000_000 + i, text };
}

/** The same routes for every site. Returns the body. */
export async function answer(url: string, visit: Visit): Promise<string> {
  const [path = "", query] = url.split("?", 2);
  const asked = new URLSearchParams(query);
  const body = await act(path, asked, visit);
  const together = asked.get("together");
  // A handler that has written to its session, and has more to do before it responds.
  if (together !== null) await wait(Number(together));
  return body;
}

async function act(path: string, asked: URLSearchParams, visit: Visit): Promise<string> {
  const key = asked.get("key") ?? "key";
  switch (path) {
    case "/none":
      return "nothing";
    case "/read":
      return String(visit.get("user"));
    case "/write":
      // Another value each time, because some libraries do not write an equal value.
      await visit.set(key, `value ${++writes}`);
      return "written";
    case "/increment":
      await visit.increment(key);
      return "incremented";
    case "/entries":
      return JSON.stringify(visit.entries());
    case "/fill":
      for (let i = 0; i < Number(asked.get("kilobytes")); i++) await visit.set(`thing${i}`, thing(i));
      await visit.set("user", asked.get("user") ?? "visitor");
      return "filled";
    case "/login":
      await visit.login(asked.get("user") ?? "visitor");
      return "in";
    case "/logout":
      await visit.logout();
      return "out";
    case "/waiting":
      return String(waiting);
    case "/release":
      gate.emit("open");
      return "released";
    default:
      throw new Error(`No such route: ${path}`);
  }
}
