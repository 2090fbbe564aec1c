import { setTimeout as sleep } from "node:timers/promises";
import type { Session } from "@sessions/core";
import { memoryDriver } from "@sessions/core/memory";
import type { Request } from "express";
import { expect, test } from "vitest";
import { sessionOf } from "../../src/index.ts";
import { visit } from "../support.ts";
import { appOn, serve, set, show } from "./support.ts";

type Done = (error?: unknown) => void;

/** Calls of one request, none of which waits for another. */
const calls: Record<string, (session: Request["session"], core: Session, done: Done) => unknown> = {
  save: (session, _, done) => session.save(done),
  reload: (session, _, done) => session.reload(done),
  regenerate: (session, _, done) => session.regenerate(done),
  destroy: (session, _, done) => session.destroy(done),
  "core's logout": (_, core, done) => core.logout().then(done, done),
};
const pairs = Object.keys(calls).flatMap((one) => Object.keys(calls).map((two) => [one, two] as const));

test.each(pairs)("%s and %s at once: each ends once, and the response is no error", async (...names) => {
  for (const known of [true, false])
    for (const [when, saveUninitialized] of [
      ["before the response", false],
      ["while it waits", true],
    ] as const) {
      const inner = memoryDriver();
      // Every call takes a turn of the event loop, as with a server.
      const slow = async (): Promise<void> => void (await sleep(1));
      const driver = new Proxy(inner, {
        get(target, key) {
          const value: unknown = Reflect.get(target, key);
          if (typeof value !== "function") return value;
          return (...args: unknown[]) => slow().then(() => value.apply(target, args));
        },
      });
      const { app } = appOn(driver, { saveUninitialized });
      const ends: Promise<unknown>[] = [];
      const url = await serve(app, {
        "/set": set,
        "/show": show,
        "/both": async (req, res) => {
          const { session } = req;
          const core = sessionOf(req);
          session["b"] = 1;
          if (when === "while it waits") {
            res.end();
            await sleep(0);
          }
          for (const name of names)
            ends.push(new Promise<unknown>((resolve) => calls[name]?.(session, core, resolve)));
          if (when === "before the response") res.end();
        },
      });
      const visitor = visit(url);
      if (known) await visitor.get("/set?a=1");
      expect(await visitor.get("/both")).toMatchObject({ status: 200 });
      expect(await Promise.all(ends)).toHaveLength(2);
      expect((await visitor.get("/show")).status).toBe(200);
    }
});
