import { promisify } from "node:util";
import type { Request } from "express";
import type {} from "express-session";
import type { Visit } from "./routes.ts";

/** A request's session. The application chooses its keys. */
export function visitOf(req: Request): Visit {
  const values = (): Record<string, unknown> => req.session as unknown as Record<string, unknown>;
  return {
    get: (key) => values()[key],
    set(key, value) {
      values()[key] = value;
    },
    increment(key) {
      values()[key] = Number(values()[key] ?? 0) + 1;
    },
    entries() {
      const { cookie: _, ...entries } = values();
      return entries;
    },
    async login(user) {
      await promisify<void>((done) => req.session.regenerate(done))();
      values()["user"] = user;
    },
    logout: () => promisify<void>((done) => req.session.destroy(done))(),
  };
}
