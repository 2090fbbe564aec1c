import type { TestProxy } from "@sessions/conformance/proxy";
import { type Driver, isListingDriver, isSessionError } from "@sessions/core";
import { afterEach, describe, expect, test, vi } from "vitest";
import { begin, filler, HOUR, newId } from "./records.ts";

/** Returns one call of every method, by name. */
function calls(driver: Driver, id: string): Record<string, () => Promise<unknown>> {
  const now = Date.now();
  const fields = new Map([["a/x", "1"]]);
  return {
    create: () => driver.create(newId(), { expiresAt: now + HOUR, fields }, now),
    "create with a principal": () =>
      driver.create(newId(), { expiresAt: now + HOUR, principal: "alice", fields }, now),
    load: () => driver.load(id),
    commit: () => driver.commit(id, { fields }, now),
    "commit with ifVersion": () => driver.commit(id, { fields, ifVersion: 1 }, now),
    touch: () => driver.commit(id, { fields: new Map(), expiresAt: now + 2 * HOUR }, now),
    destroy: () => driver.destroy(id, now),
    sweep: () => driver.sweep({ after: 0, before: now, limit: 10 }),
    ...(isListingDriver(driver) && {
      list: () => driver.list({ limit: 10 }, now),
      "list of a principal": () => driver.list({ principal: "alice", limit: 10 }, now),
    }),
  };
}

async function expectUnavailable(driver: Driver, id: string): Promise<void> {
  const outcomes = await Promise.all(
    Object.entries(calls(driver, id)).map(async ([name, call]) => {
      const error = await call().then(
        (value) => `returned ${value}`,
        (error: unknown) => error,
      );
      return [name, isSessionError(error) ? error.code : error];
    }),
  );
  expect(Object.fromEntries(outcomes)).toEqual(
    Object.fromEntries(outcomes.map(([name]) => [name, "ERR_SESSION_UNAVAILABLE"])),
  );
}

/** The same driver must work again. Its client may take a moment to connect; with Sentinel, more than one. */
async function expectHealed(driver: Driver): Promise<void> {
  const record = await vi.waitFor(async () => driver.load(await begin(driver, { fields: filler(100) })), {
    timeout: 10_000,
  });
  expect(record?.version).toBe(1);
}

/**
 * However the connection breaks, a call ends in time with an error. When the backend is back, the driver works again.
 * `open` makes a driver behind the proxy with a timeout of a second or less.
 */
export function testBrokenLine(open: () => Driver | Promise<Driver>, proxy: TestProxy): void {
  describe("a broken line", () => {
    afterEach(() => proxy.restore());

    test("a backend that never answers is DriverUnavailableError, and no call hangs", async () => {
      const driver = await open();
      const id = await begin(driver, { fields: filler(100) });
      await proxy.stall();
      await expectUnavailable(driver, id);
      await proxy.restore();
      await expectHealed(driver);
    });

    test("a load whose answer is cut off is DriverUnavailableError or the whole record, never half of it", async () => {
      const driver = await open();
      const id = await begin(driver, { fields: filler(200_000) });
      expect((await driver.load(id))?.fields.size).toBe(2_000);
      proxy.cutAfter(100_000);
      // A client may repeat a read, and then get a result.
      const outcome = await driver.load(id).then(
        (record) => record?.fields.size,
        (error: unknown) => (isSessionError(error) ? error.code : error),
      );
      expect([2_000, "ERR_SESSION_UNAVAILABLE"]).toContain(outcome);
      await expectHealed(driver);
      expect((await driver.load(id))?.fields.size).toBe(2_000);
    });

    test.each([
      ["a commit", {}],
      ["a compare-and-set", { ifVersion: 1 }],
    ])("%s whose answer is cut off is executed at most once", async (_, extra) => {
      const driver = await open();
      const id = await begin(driver, { fields: filler(100) });
      proxy.cutAfter(0);
      const change = { fields: new Map([["a/x", "1"]]), ...extra };
      const outcome = await driver.commit(id, change, Date.now()).catch((error: unknown) => {
        if (!isSessionError(error, "ERR_SESSION_UNAVAILABLE")) throw error;
        return "unknown";
      });
      await proxy.restore();
      await expectHealed(driver);
      const version = (await driver.load(id))?.version;
      expect([outcome, version]).toSatisfy(
        () =>
          (outcome === "committed" && version === 2) ||
          (outcome === "unknown" && (version === 1 || version === 2)),
      );
    });

    test("a backend that refuses connections is DriverUnavailableError for every method", async () => {
      const driver = await open();
      const id = await begin(driver, { fields: filler(100) });
      await proxy.cut();
      await expectUnavailable(driver, id);
      await proxy.restore();
      await expectHealed(driver);
    });

    test("a commit that timed out is not sent later by the client", async () => {
      const driver = await open();
      const id = await begin(driver, { fields: filler(100) });
      await proxy.cut();
      // Let the client notice the outage first. Some clients would queue the calls that they get now.
      await expect(driver.load(id)).rejects.toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
      const late = { fields: new Map([["a/x", "late"]]) };
      await expect(driver.commit(id, late, Date.now())).rejects.toMatchObject({
        code: "ERR_SESSION_UNAVAILABLE",
      });
      await proxy.restore();
      await expectHealed(driver);
      expect((await driver.load(id))?.fields.has("a/x")).toBe(false);
    });
  });
}
