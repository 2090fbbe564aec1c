import { sweepBesideCommits, withService } from "@sessions/driver-tests";
import pg from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import { postgresDriver } from "../src/index.ts";
import { statementsOf } from "../src/statements.ts";
import { begin, HOUR, newId, newTable, openPool, ownServer } from "./support.ts";

await withService("postgres", (postgres) => {
  test("each method is one statement, by the server's own counters", async () => {
    const { pool } = await ownServer("shared_preload_libraries=pg_stat_statements");
    await pool.query("CREATE EXTENSION pg_stat_statements");
    const driver = postgresDriver({ client: pool });
    await driver.setup();
    const [id, ended] = [await begin(driver), await begin(driver)];
    const now = Date.now();
    const x = new Map([["a/x", "1"]]);
    const many = new Map(Array.from({ length: 100 }, (_, i) => [`a/${i}`, i % 2 ? null : "1"] as const));
    await driver.destroy(ended, now);
    const calls: Record<string, () => Promise<unknown>> = {
      read: () => driver.load(id),
      "read of none": () => driver.load(ended),
      write: () => driver.commit(id, { fields: x }, now),
      "write of 100 fields": () => driver.commit(id, { fields: many }, now),
      touch: () => driver.commit(id, { fields: new Map(), expiresAt: now + HOUR }, now),
      gone: () => driver.commit(ended, { fields: x }, now),
      "gone with ifVersion": () => driver.commit(ended, { fields: x, ifVersion: 1 }, now),
      conflict: () => driver.commit(id, { fields: x, ifVersion: 99 }, now),
      create: () => begin(driver, { principal: "alice" }),
      destroy: () => driver.destroy(id, now),
    };
    for (const [name, call] of Object.entries(calls)) {
      await pool.query("SELECT pg_stat_statements_reset()");
      await call();
      const { rows } = await pool.query(
        "SELECT sum(calls)::int AS calls FROM pg_stat_statements WHERE query NOT LIKE '%pg_stat_statements%'",
      );
      expect(rows[0]?.calls, name).toBe(1);
    }
  });

  test("statements are prepared once a connection, however many fields they change", async () => {
    const pool = openPool(postgres.url, { max: 1 });
    const driver = postgresDriver({ client: pool, table: newTable() });
    await driver.setup();
    const id = await begin(driver);
    for (let n = 0; n < 20; n++) {
      const fields = new Map(Array.from({ length: n }, (_, i) => [`a/${i}`, "1"] as const));
      await driver.commit(id, { fields }, Date.now());
      await driver.load(id);
    }
    const { rows } = await pool.query(
      "SELECT count(*)::int AS count FROM pg_prepared_statements WHERE name LIKE 'sessions_%'",
    );
    // setup (which looks first), create, commit, load.
    expect(rows[0]?.count).toBe(5);
    await driver.teardown();
  });

  test("a call survives the loss of prepared statements, as behind PgBouncer", async () => {
    const pool = openPool(postgres.url, { max: 1 });
    const driver = postgresDriver({ client: pool, table: newTable() });
    await driver.setup();
    const id = await begin(driver);
    for (let n = 0; n < 3; n++) {
      await pool.query("DEALLOCATE ALL");
      expect(await driver.commit(id, { fields: new Map([["a/n", String(n)]]) }, Date.now())).toBe(
        "committed",
      );
      expect((await driver.load(id))?.fields.get("a/n")).toBe(String(n));
    }
    expect((await driver.load(id))?.version).toBe(4);
    await driver.teardown();
  });

  test("sweeps remove 100,000 of 200,000 records by an index, in batches, and lose no commit", async () => {
    const { pool, url } = await ownServer("log_min_duration_statement=-1");
    const sweeper = postgresDriver({ client: pool });
    await sweeper.setup();
    const now = Date.now();
    await pool.query(
      `INSERT INTO sessions SELECT md5(n::text), 1, CASE WHEN n % 2 = 0 THEN $1::bigint ELSE $2::bigint END + n, NULL,
        '{"a/x":"some text of a session"}'::jsonb FROM generate_series(1, 200000) n`,
      [now - HOUR, now + HOUR],
    );
    await pool.query("ANALYZE sessions");
    const live = (await pool.query("SELECT id FROM sessions WHERE expires_at > $1 LIMIT 1000", [now])).rows;

    const plan = async (text: string, values: unknown[]) =>
      (await pool.query(`EXPLAIN ${text}`, values)).rows.map((row) => row["QUERY PLAN"]).join("\n");
    const statements = statementsOf("sessions");
    const sweepPlan = await plan(statements.sweep, [0, now, 1000]);
    expect(sweepPlan).toMatch(/Index Scan using sessions_expires_at/);
    expect(sweepPlan).not.toMatch(/Seq Scan/);
    expect(await plan(statements.listPrincipal, ["", 10, now, "alice"])).toMatch(/sessions_principal/);
    expect(await plan(statements.list, ["", 10])).toMatch(/Index Scan using sessions_pkey/);

    const writer = postgresDriver({ client: openPool(url) });
    const figures = await sweepBesideCommits({
      ...{ sweeper, writer, expired: 100_000, batch: 1000 },
      live: live.map(({ id }) => String(id)),
    });
    console.log(
      `swept ${figures.removed} in ${figures.batches} statements, the longest ${figures.longestBatch.toFixed(1)} ms; ${figures.commits} commits beside it, the longest ${figures.longestCommit.toFixed(1)} ms, none lost`,
    );
  });

  // A fake client, because a real server does not lose this race reliably.
  test.each([
    ["57P01", "FATAL", true],
    ["08006", "FATAL", true],
    ["25P03", "FATAL", true],
    ["22001", "ERROR", false],
    ["42P01", "ERROR", false],
    ["ECONNRESET", undefined, true],
  ])("after %s (%s) the connection is ended: %s", async (code, severity, ends) => {
    const released: unknown[] = [];
    const lent = {
      query: () =>
        Promise.reject(Object.assign(new Error("refused"), { code, ...(severity && { severity }) })),
      release: (destroy?: boolean) => released.push(destroy),
      on() {},
      off() {},
    };
    const driver = postgresDriver({ client: { totalCount: 1, connect: async () => lent } });
    await expect(driver.load(newId())).rejects.toThrow();
    expect(released).toEqual([ends]);
  });

  describe("a pool whose connections are all taken", () => {
    test("is DriverUnavailableError in time, and waiting statements are not sent later", async () => {
      const pool = openPool(postgres.url, { max: 1, connectionTimeoutMillis: 0 });
      const table = newTable();
      const driver = postgresDriver({ client: pool, table });
      const hasty = postgresDriver({ client: pool, table, timeout: 200 });
      await driver.setup();
      const id = await begin(driver);
      let ended = 0;
      pool.on("remove", () => ended++);
      const taken = await pool.connect();
      await expect(
        hasty.commit(id, { fields: new Map([["a/x", "late"]]) }, Date.now()),
      ).rejects.toMatchObject({
        code: "ERR_SESSION_UNAVAILABLE",
      });
      taken.release();
      expect((await driver.load(id))?.version).toBe(1);
      expect(await driver.load(newId())).toBeUndefined();
      // Nothing was sent on the connection, so it goes back to the pool.
      expect(ended).toBe(0);
      await driver.teardown();
    });
  });

  describe("a call that has timed out", () => {
    const UNAVAILABLE = { code: "ERR_SESSION_UNAVAILABLE" };
    const a = (text: string) => ({ fields: new Map([["a/x", text]]) });

    /** Locks the record on another connection, and returns the function that unlocks it. */
    async function lockRecord(table: string, id: string): Promise<() => Promise<unknown>> {
      const other = await openPool(postgres.url).connect();
      onTestFinished(() => other.release(true));
      await other.query("BEGIN");
      await other.query(`SELECT id FROM "${table}" WHERE id = $1 FOR UPDATE`, [id]);
      return () => other.query("COMMIT");
    }

    test("removes its connection from the pool, which opens another at once", async () => {
      const pool = openPool(postgres.url, { max: 1 });
      const table = newTable();
      const driver = postgresDriver({ client: pool, table });
      const hasty = postgresDriver({ client: pool, table, timeout: 300 });
      await driver.setup();
      const id = await begin(driver);
      const unlock = await lockRecord(table, id);
      let ended = 0;
      pool.on("remove", () => ended++);
      await expect(hasty.commit(id, a("late"), Date.now())).rejects.toMatchObject(UNAVAILABLE);
      expect((await driver.load(id))?.version).toBe(1);
      expect(ended).toBe(1);
      await unlock();
      await driver.teardown();
    });

    test("on a single connection waited for the end of the application's transaction, and says so", async () => {
      const client = new pg.Client({ connectionString: postgres.url });
      await client.connect();
      onTestFinished(() => client.end());
      const table = newTable();
      const driver = postgresDriver({ client, table });
      const hasty = postgresDriver({ client, table, timeout: 200 });
      await driver.setup();
      const id = await begin(driver);
      await client.query("BEGIN");
      await expect(hasty.commit(id, a("late"), Date.now())).rejects.toMatchObject({
        ...UNAVAILABLE,
        message: expect.stringMatching(/the application has a transaction open .* Nothing was changed/),
      });
      const waiting = driver.commit(id, a("after it"), Date.now());
      await client.query("SELECT 1");
      await client.query("COMMIT");
      expect(await waiting).toBe("committed");
      expect(await driver.load(id)).toMatchObject({ version: 2, fields: new Map([["a/x", "after it"]]) });
      await driver.teardown();
    });

    test("on a single connection leaves the calls that waited behind it unsent", async () => {
      const client = new pg.Client({ connectionString: postgres.url });
      await client.connect();
      onTestFinished(() => client.end());
      const table = newTable();
      const driver = postgresDriver({ client, table });
      const hasty = postgresDriver({ client, table, timeout: 300 });
      await driver.setup();
      const id = await begin(driver);
      const unlock = await lockRecord(table, id);
      const outcomes = await Promise.allSettled([
        hasty.commit(id, a("may be made"), Date.now()),
        hasty.commit(id, a("late"), Date.now()),
        hasty.destroy(id, Date.now()),
      ]);
      for (const outcome of outcomes)
        expect(outcome).toMatchObject({ status: "rejected", reason: UNAVAILABLE });
      await unlock();
      const record = await driver.load(id);
      expect(record).toMatchObject({ version: 2, fields: new Map([["a/x", "may be made"]]) });
      await driver.teardown();
    });

    test("on a single connection is never sent after a statement of the application", async () => {
      const client = new pg.Client({ connectionString: postgres.url });
      await client.connect();
      onTestFinished(() => client.end());
      const table = newTable();
      const driver = postgresDriver({ client, table });
      const hasty = postgresDriver({ client, table, timeout: 200 });
      await driver.setup();
      const id = await begin(driver);
      const unlock = await lockRecord(table, id);
      const before = client.query(`SELECT 1 FROM ${table} FOR UPDATE`);
      const outcomes = await Promise.allSettled([
        hasty.commit(id, a("late"), Date.now()),
        hasty.destroy(id, Date.now()),
      ]);
      for (const outcome of outcomes)
        expect(outcome).toMatchObject({ status: "rejected", reason: UNAVAILABLE });
      await unlock();
      await before;
      expect((await driver.load(id))?.version).toBe(1);
      await driver.teardown();
    });
  });

  test("the application's own parser of texts changes no record", async () => {
    const client = openPool(postgres.url, { types: { getTypeParser: () => () => "parsed" } });
    const driver = postgresDriver({ client, table: newTable() });
    await driver.setup();
    const fields = new Map([["a/x", '" As It Is "']]);
    const id = await begin(driver, { fields, principal: "Alice" });
    expect(await driver.load(id)).toMatchObject({ version: 1, fields, principal: "Alice" });
    await driver.teardown();
  });
});
