import { describe, expect, test } from "vitest";
import {
  createSessionManager,
  type Driver,
  DriverUnavailableError,
  type ListingDriver,
  type ProvisionedDriver,
  SessionSetupError,
} from "../src/index.ts";
import { memoryDriver } from "../src/memory.ts";
import { stored, thrownBy } from "./support.ts";

/** A backend that needs a table, with what was called; `fails` rejects each setup while it is there. */
class TableDriver implements ListingDriver, ProvisionedDriver {
  readonly name = "table";
  setups = 0;
  hasTable = false;
  lacksIndex = false;
  held: Promise<void> | undefined;
  fails: Error | undefined;
  // Private, as a class of somebody else's may have it: called on another object such a method throws.
  readonly #inner = memoryDriver();

  get #table(): ListingDriver {
    if (!this.hasTable) throw new SessionSetupError('table: "sessions" is missing: run setup()');
    return this.#inner;
  }

  create: Driver["create"] = async (...args) => this.#table.create(...args);
  load: Driver["load"] = async (id) => this.#table.load(id);
  commit: Driver["commit"] = async (...args) => this.#table.commit(...args);
  async destroy(id: string, now: number) {
    return this.#table.destroy(id, now);
  }
  sweep: Driver["sweep"] = async (range) => this.#table.sweep(range);
  list: ListingDriver["list"] = async (...args) => this.#table.list(...args);
  async setup() {
    this.setups++;
    await new Promise(setImmediate);
    await this.held;
    if (this.fails) throw this.fails;
    this.hasTable = true;
    this.lacksIndex = false;
  }
  check = async () => (this.hasTable && !this.lacksIndex ? [] : ["missing"]);
  async teardown() {
    this.hasTable = false;
  }
}

const calls: Record<string, (sessions: ReturnType<typeof createSessionManager>) => Promise<unknown>> = {
  "a first write": (sessions) => stored(sessions, (session) => session.store("s").set("k", 1)),
  "a read": (sessions) => sessions.valid("0".repeat(32)),
  "a destroy": (sessions) => sessions.destroy("0".repeat(32)),
  "a listing": (sessions) => sessions.list().next(),
  "a sweep": (sessions) => sessions.sweep(),
};

describe("what the backend lacks is made at first use, once", () => {
  test.each(Object.entries(calls))("by %s", async (_, call) => {
    const driver = new TableDriver();
    const sessions = createSessionManager({ driver });
    expect(driver.setups).toBe(0);
    await call(sessions);
    for (const again of Object.values(calls)) await again(sessions);
    expect(driver.setups).toBe(1);
  });

  test("of many requests at once all wait for the one", async () => {
    const driver = new TableDriver();
    const sessions = createSessionManager({ driver });
    await Promise.all(Array.from({ length: 20 }, () => stored(sessions, (session) => session.login("ann"))));
    expect(driver.setups).toBe(1);
  });

  test("an index that no call misses is made beside the first call, which does not wait for it", async () => {
    const driver = new TableDriver();
    driver.hasTable = true;
    driver.lacksIndex = true;
    let release = (): void => {};
    driver.held = new Promise((resolve) => {
      release = resolve;
    });
    const sessions = createSessionManager({ driver });
    for (const call of Object.values(calls)) await call(sessions);
    expect([driver.setups, driver.lacksIndex]).toEqual([1, true]);
    release();
    // It waits for what is under way.
    expect(await sessions.check()).toEqual([]);
    expect(driver.setups).toBe(1);
  });

  test("a table that is missed only after a call without it waits for the one attempt too", async () => {
    const driver = new TableDriver();
    driver.load = async () => undefined;
    const sessions = createSessionManager({ driver });
    await Promise.all([sessions.valid("0".repeat(32)), stored(sessions, (session) => session.login("ann"))]);
    await stored(sessions, (session) => session.login("bob"));
    expect([driver.setups, driver.hasTable]).toEqual([1, true]);
  });

  test("a permission that is missing for what no call misses fails nothing, and is asked for once", async () => {
    const driver = new TableDriver();
    driver.hasTable = true;
    driver.fails = new DriverUnavailableError("table: denied");
    const sessions = createSessionManager({ driver });
    for (let n = 0; n < 3; n++) await stored(sessions, (session) => session.login("ann"));
    expect(driver.setups).toBe(1);
  });

  test("nothing is made where it is lost later: that must be seen", async () => {
    const driver = new TableDriver();
    const sessions = createSessionManager({ driver });
    await stored(sessions, (session) => session.login("ann"));
    driver.hasTable = false;
    await expect(sessions.valid("0".repeat(32))).rejects.toThrow(SessionSetupError);
    expect(driver.setups).toBe(1);
  });

  test("a process without the permission gets the error that names setup(), and asks once", async () => {
    const driver = new TableDriver();
    driver.fails = new SessionSetupError("permission denied");
    const sessions = createSessionManager({ driver });
    for (let n = 0; n < 3; n++) {
      const error = await thrownBy(() => stored(sessions, (session) => session.login("ann")));
      expect(error).toMatchObject({ code: "ERR_SESSION_SETUP", cause: driver.fails });
      expect(error.message).toMatch(/run setup\(\)/);
    }
    expect(driver.setups).toBe(1);
  });

  test("an outage while it is made is over when it is over", async () => {
    const driver = new TableDriver();
    driver.fails = new DriverUnavailableError("table: away");
    const sessions = createSessionManager({ driver });
    await expect(stored(sessions)).rejects.toThrow(SessionSetupError);
    driver.fails = undefined;
    await stored(sessions);
    expect(driver.hasTable).toBe(true);
  });

  test('setup: "manual" leaves it to setup()', async () => {
    const driver = new TableDriver();
    const sessions = createSessionManager({ driver, setup: "manual" });
    await expect(stored(sessions)).rejects.toThrow(SessionSetupError);
    expect(driver.setups).toBe(0);
    await sessions.setup();
    await stored(sessions);
    expect(await sessions.check()).toEqual([]);
    await sessions.teardown();
    expect(await sessions.check()).toEqual(["missing"]);
  });

  test("check(), setup() and teardown() reach the driver as they are", async () => {
    const driver = new TableDriver();
    const sessions = createSessionManager({ driver });
    expect(await sessions.check()).toEqual(["missing"]);
    await sessions.setup();
    expect(await sessions.check()).toEqual([]);
    await sessions.teardown();
    expect(driver.setups).toBe(1);
  });
});
