import type { Driver, ListingDriver } from "@sessions/core";
import type { Target } from "../../src/index.ts";
import { type Rows, simpleDriver, type World } from "../simple-driver.ts";

/** A driver with one deliberate fault, as somebody might really write it, and the rule that it breaks. */
export interface Fault {
  readonly rule: `R${number}`;
  readonly fault: string;
  /** A new backend, and drivers on it. */
  target(): Target;
}

/** A fault in the simplest driver: the methods that `break` answers take the place of the sound ones. */
export function fault(
  rule: Fault["rule"],
  what: string,
  wrong: (rows: Rows, sound: ListingDriver, world: World) => Partial<ListingDriver>,
): Fault {
  return {
    rule,
    fault: what,
    target() {
      const world: World = new Map();
      return {
        name: what,
        open(namespace): Driver {
          const rows = world.get(namespace) ?? new Map();
          world.set(namespace, rows);
          const sound = simpleDriver(() => rows);
          return { ...sound, ...wrong(rows, sound, world) };
        },
      };
    },
  };
}
