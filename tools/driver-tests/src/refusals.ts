import { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { inspect } from "node:util";
import { type Driver, isSessionError } from "@sessions/core";
import { expect, type TestAPI } from "vitest";

/** A backend that refuses rows. */
export interface Refusal {
  /** Describes the refusal: `"a trigger that raises with the row"`. */
  readonly what: string;
  /** Makes the backend refuse every row with a field `a/refused`, and returns a driver for it. */
  make(): Promise<Driver>;
  /** Properties that the cause must keep, so that the reason of the refusal can be found. */
  readonly tells?: Readonly<Record<string, unknown>>;
}

const HOUR = 3_600_000;
const MANY = 1_200;

/** Everything that an error can show: its printed form, hidden properties, getters, and its causes. */
function allOf(error: unknown, seen = new Set<unknown>()): string {
  if (Object(error) !== error || seen.has(error)) return String(error);
  seen.add(error);
  const values = Reflect.ownKeys(Object(error)).map((key) => allOf(Reflect.get(Object(error), key), seen));
  const shown = inspect(error, { depth: 12, showHidden: true, maxStringLength: null, maxArrayLength: null });
  return [shown, JSON.stringify(error), ...values].join("\n");
}

/** Registers tests that the error of a refused write holds no text, no principal and no id, in any form (R11.6). */
export function testRefusals(test: TestAPI, refusals: readonly Refusal[]): void {
  for (const { what, make, tells = {} } of refusals)
    test(`no error shows what ${what} refuses`, async () => {
      const driver = await make();
      const now = Date.now();
      const [text, principal, id] = ["text", "principal", "id"].map(
        (kind) => `${kind}${randomBytes(8).toString("hex")}`,
      );
      if (!text || !principal || !id) throw new TypeError("three marks");
      await driver.create(id, { expiresAt: now + HOUR, fields: new Map() }, now);
      const refused = new Map([["a/refused", text]]);
      const many = new Map([
        ...refused,
        ...Array.from({ length: MANY }, (_, i) => [`a/${i}`, text] as const),
      ]);
      const calls: Record<string, () => Promise<unknown>> = {
        create: () => driver.create(`${id}x`, { expiresAt: now + HOUR, principal, fields: refused }, now),
        commit: () => driver.commit(id, { fields: refused, principal }, now),
        "commit with ifVersion": () => driver.commit(id, { fields: refused, principal, ifVersion: 1 }, now),
        "commit of many fields": () => driver.commit(id, { fields: many, principal }, now),
      };
      for (const [name, call] of Object.entries(calls)) {
        const error: unknown = await call().then(
          () => undefined,
          (reason: unknown) => reason,
        );
        expect(isSessionError(error), `${name} must reject with a SessionError, not ${String(error)}`).toBe(
          true,
        );
        expect(error).toMatchObject({ cause: expect.objectContaining(tells) });
        const shown = allOf(error).toLowerCase();
        for (const mark of [text, principal, id])
          for (const form of [
            mark,
            ...(["hex", "base64"] as const).map((as) => Buffer.from(mark).toString(as)),
          ])
            expect(shown.includes(form.toLowerCase()), `${name} shows "${form}": ${shown}`).toBe(false);
      }
      // Nothing was written, and the driver still works.
      expect(await driver.load(id)).toMatchObject({ version: 1, fields: new Map() });
    });
}
