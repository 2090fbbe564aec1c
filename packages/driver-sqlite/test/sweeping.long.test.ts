import { performance } from "node:perf_hooks";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Driver } from "@sessions/core";
import { sweepBesideCommits } from "@sessions/driver-tests";
import { HOUR, newId } from "@sessions/driver-tests/records";
import { expect, test } from "vitest";
import { type SqliteClientLike, sqliteDriver } from "../src/index.ts";
import { openFile, ownFile, pluck } from "./support.ts";

const COUNT = 100_000;

test(`sweeping ${COUNT} of ${2 * COUNT} records beside commits: none is lost, and none waits long`, async () => {
  const path = ownFile();
  const client = openFile(path);
  await sqliteDriver({ client }).setup();
  const now = Date.now();
  const live: string[] = [];
  const insert = client.prepare("INSERT INTO sessions VALUES (?, ?, 1, ?, ?)");
  client.transaction(() => {
    for (let i = 0; i < COUNT; i++) {
      const id = newId();
      live.push(id);
      insert.run(id, `user ${i % 1000}`, now + HOUR, JSON.stringify({ "a/filler": "x".repeat(200) }));
      insert.run(newId(), `user ${i % 1000}`, now - 1 - i, JSON.stringify({ "a/filler": "x".repeat(200) }));
    }
  })();

  // Do not measure the checkpoint of the rows that the test inserted.
  client.pragma("wal_checkpoint(TRUNCATE)");

  const statements: number[] = [];
  let longestTurn = 0;
  const timed: SqliteClientLike = {
    exec: (sql) => client.exec(sql),
    prepare(sql) {
      const statement = client.prepare(sql);
      return {
        all: (...values) => statement.all(...values),
        run(...values) {
          const begun = performance.now();
          const result = statement.run(...values);
          statements.push(performance.now() - begun);
          return result;
        },
      };
    },
  };
  let turn = performance.now();
  const heart = setInterval(() => {
    longestTurn = Math.max(longestTurn, performance.now() - turn);
    turn = performance.now();
  }, 1);

  // Another connection. Like a request from outside, each commit begins in its own turn of the event loop.
  const other = sqliteDriver({ client: openFile(path) });
  const writer: Driver = {
    ...other,
    async commit(...args) {
      await nextTurn();
      return other.commit(...args);
    },
  };
  const sweeper = sqliteDriver({ client: timed });
  const figures = await sweepBesideCommits({
    sweeper,
    writer,
    live: live.slice(0, 400),
    expired: COUNT,
    batch: 1_000,
  });
  clearInterval(heart);
  expect(pluck(client, "SELECT count(*) FROM sessions")).toBe(COUNT);
  expect(pluck(client, "PRAGMA integrity_check")).toBe("ok");
  statements.sort((a, b) => a - b);
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  console.log(
    `${figures.removed} swept by calls of 1,000 beside ${figures.commits} commits: statements of ${ms(statements.at(statements.length / 2) ?? 0)} in the middle and ${ms(statements.at(-1) ?? 0)} at most, longest commit as the caller saw it ${ms(figures.longestCommit)}, longest time between two timers ${ms(longestTurn)}`,
  );
});

test("a sweep and a listing let other work run", async () => {
  const client = openFile(ownFile());
  const driver = sqliteDriver({ client });
  await driver.setup();
  const now = Date.now();
  const insert = client.prepare("INSERT INTO sessions VALUES (?, NULL, 1, ?, '{}')");
  for (let i = 0; i < 1_000; i++) insert.run(newId(), now - 1);
  let turns = 0;
  const count = () => {
    turns++;
    timer = setImmediate(count);
  };
  let timer = setImmediate(count);
  let cursor: string | undefined;
  let pages = 0;
  do {
    ({ cursor } = await driver.list({ limit: 100, cursor }, now));
    pages++;
  } while (cursor !== undefined);
  expect(turns).toBeGreaterThanOrEqual(pages);
  turns = 0;
  expect(await driver.sweep({ after: 0, before: now, limit: 950 })).toBe(950);
  expect(turns).toBeGreaterThanOrEqual(9);
  clearImmediate(timer);
  expect(pluck(client, "SELECT count(*) FROM sessions")).toBe(50);
});
