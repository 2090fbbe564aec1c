import type { Session } from "@sessions/core";
import type { Rule, Target } from "../../src/index.ts";
import { type Middleware, type Next, type Steps, sound, type Visited } from "../simple-adapter.ts";
import { type Mount, simpleTarget } from "../simple-target.ts";

/** An adapter with one deliberate fault, as somebody might really write it, and the clauses that it breaks. */
export interface Fault {
  readonly fault: string;
  /** All clauses that fail. The first one is about this fault; the others meet it on their way. */
  readonly rules: readonly Rule[];
  readonly target: Target;
}

/** A fault in the simple adapter: these steps take the place of the sound ones. */
export const fault = (rules: readonly Rule[], what: string, steps: Partial<Steps>, mount?: Mount): Fault => ({
  fault: what,
  rules,
  target: simpleTarget(what, { ...sound, ...steps }, mount),
});

type Res = Parameters<Middleware>[1];

/** A fault between the adapter and the connection: it changes the response that the adapter finds. */
export const beneath = (
  rules: readonly Rule[],
  what: string,
  change: (res: Res, req: Visited) => void,
): Fault =>
  fault(rules, what, {}, (adapter) => (req, res, next) => {
    change(res, req);
    adapter(req, res, next);
  });

/** A fault between the application and the adapter: it changes the response that the application finds. */
export const above = (
  rules: readonly Rule[],
  what: string,
  change: (res: Res, req: Visited) => void,
): Fault =>
  fault(rules, what, {}, (adapter) => (req, res, next) => {
    adapter(req, res, (error) => {
      if (error === undefined) change(res, req);
      next(error);
    });
  });

/** A fault in how errors reach the framework. */
export const handingOn = (
  rules: readonly Rule[],
  what: string,
  hand: (error: unknown, next: Next, res: Res) => void,
): Fault =>
  fault(rules, what, {}, (adapter) => (req, res, next) => {
    adapter(req, res, (error) => (error === undefined ? next() : hand(error, next, res)));
  });

/** A session with some methods replaced. */
export const withMethods = (session: Session, methods: Partial<Session>): Session =>
  new Proxy(session, {
    get(target, key) {
      const value: unknown = Reflect.get(methods, key) ?? Reflect.get(target, key);
      return typeof value === "function" && !Reflect.has(methods, key) ? value.bind(target) : value;
    },
  });

export const none = { setCookie: undefined };

/** A step that was forgotten. */
export const nothing = async (): Promise<typeof none> => none;
