import { inspect } from "node:util";
import { isListingDriver, isSessionError } from "@sessions/core";
import * as assert from "../assert.ts";
import type { Case, Kit } from "../kit.ts";
import { listsExactly, queries } from "../paging.ts";
import { begin, eventually, fieldsOf, HOUR, loaded, newId, set, touch } from "../support.ts";
import { within } from "../within.ts";

/** The most that a call may take while the backend is away. The timeout of the driver under test must be shorter. */
const ANSWER_MS = 3_000;

/** Passes an error on to `note`, and rejects with it. */
const noted =
  (note: (error: unknown) => void) =>
  (error: unknown): never => {
    note(error);
    throw error;
  };

/** Cuts the backend off, runs `body`, and brings the backend back, even if `body` fails. */
async function during<T>(
  { outage, driver, failed }: Kit,
  body: () => Promise<T>,
  meanwhile: (error: unknown) => void = () => {},
): Promise<T> {
  assert.ok(outage, "the target has no outage");
  await outage.cut();
  try {
    return await within(2 * ANSWER_MS, body(), "not every call ended while the backend was away");
  } catch (error) {
    failed(error);
    throw error;
  } finally {
    await outage.restore();
    // Wait until the client has connected again, so that the outage does not fail later cases. R11.4 tests whether it
    // does connect.
    const look = () => within(ANSWER_MS, driver.load(newId()).catch(noted(meanwhile)), "no answer");
    await eventually(true, look).catch(() => undefined);
  }
}

/** Every call must reject with `DriverUnavailableError`, and in time. */
async function unavailable(calls: Record<string, () => Promise<unknown>>): Promise<void> {
  await Promise.all(
    Object.entries(calls).map(async ([name, call]) => {
      const outcome = await within(
        ANSWER_MS,
        call().then(
          (value) => ({ value }),
          (error: unknown) => ({ error }),
        ),
        `${name} must reject while the backend is away (give the driver under test a timeout of a second or less where target.open() is told { outage: true }), but did not end`,
      );
      if ("value" in outcome)
        assert.fail(
          `${name} must reject while the backend is away, not return ${inspect(outcome.value, { depth: 0 })}`,
        );
      assert.ok(
        isSessionError(outcome.error, "ERR_SESSION_UNAVAILABLE"),
        `${name} must reject with DriverUnavailableError, not ${outcome.error}`,
      );
    }),
  );
}

export const outageCases: Case[] = [
  {
    rule: "R11.1",
    title: "create, commit and destroy reject with DriverUnavailableError while the backend is away",
    needs: "outage",
    async run(kit) {
      const { driver, now } = kit;
      const ids = [await begin(driver, now), await begin(driver, now)];
      const record = { expiresAt: now + HOUR, fields: fieldsOf(["a/x", "1"]) };
      const change = set("a/x", "2");
      await during(kit, () =>
        unavailable({
          create: () => driver.create(newId(), record, now),
          commit: () => driver.commit(ids[0] ?? "", change, now),
          touch: () => driver.commit(ids[0] ?? "", touch(now + 2 * HOUR), now),
          "an empty commit": () => driver.commit(ids[0] ?? "", { fields: fieldsOf() }, now),
          "commit with ifVersion": () => driver.commit(ids[1] ?? "", { ...change, ifVersion: 1 }, now),
          "commit to an unknown id": () => driver.commit(newId(), change, now),
          destroy: () => driver.destroy(ids[1] ?? "", now),
          "destroy of an unknown id": () => driver.destroy(newId(), now),
        }),
      );
    },
  },
  {
    rule: "R11.2",
    title: "load rejects with DriverUnavailableError while the backend is away",
    needs: "outage",
    async run(kit) {
      const { driver, now } = kit;
      const id = await begin(driver, now);
      await loaded(driver, id);
      await during(kit, () =>
        unavailable({ load: () => driver.load(id), "load of an unknown id": () => driver.load(newId()) }),
      );
    },
  },
  {
    rule: "R11.3",
    title:
      "sweep, and list where the driver has it, reject with DriverUnavailableError while the backend is away",
    needs: "outage",
    async run(kit) {
      const { driver, now } = kit;
      const [query] = queries(driver, "alice");
      for (let i = 0; i < 4; i++) await begin(driver, now, { principal: "alice" });
      // If the listing has several pages, the outage comes between two of them.
      const { cursor } = isListingDriver(driver) ? await driver.list({ ...query, limit: 1 }, now) : {};
      await during(kit, () =>
        unavailable({
          sweep: () => driver.sweep({ after: 0, before: now, limit: 10 }),
          ...(isListingDriver(driver) && {
            list: () => driver.list({ ...query, limit: 10 }, now),
            ...(cursor !== undefined && {
              "the next page of a list": () => driver.list({ ...query, limit: 1, cursor }, now),
            }),
            "list of a principal": () => driver.list({ principal: "alice", limit: 10 }, now),
          }),
        }),
      );
    },
  },
  {
    rule: "R11.4",
    title: "the same driver works again when the backend is back, and until then says that it is unavailable",
    needs: "outage",
    async run(kit) {
      const { driver, now } = kit;
      const id = await begin(driver, now);
      const [query] = queries(driver, "alice");
      const meanwhile: unknown[] = [];
      // Let every method fail once before the backend is back.
      await during(
        kit,
        () =>
          unavailable({
            load: () => driver.load(id),
            create: () => driver.create(newId(), { expiresAt: now + HOUR, fields: fieldsOf() }, now),
            commit: () => driver.commit(id, set("a/x", "1"), now),
            destroy: () => driver.destroy(id, now),
            sweep: () => driver.sweep({ after: 0, before: now, limit: 10 }),
            ...(isListingDriver(driver) && { list: () => driver.list({ ...query, limit: 10 }, now) }),
          }),
        (error) => meanwhile.push(error),
      );
      // A backend that is starting refuses calls, with errors of its own.
      const other = meanwhile.find((error) => !isSessionError(error, "ERR_SESSION_UNAVAILABLE"));
      assert.ok(
        other === undefined,
        `until the backend is back, load must reject with DriverUnavailableError, not ${other}`,
      );
      // A client may take a moment to connect again. Use a new record, because a test's backend may lose its data when
      // it stops.
      const fresh = await eventually(true, () => begin(driver, now, { principal: "alice" }));
      assert.equal(await driver.commit(fresh, set("a/x", "1"), now), "committed", "commit");
      assert.equal((await loaded(driver, fresh)).fields.get("a/x"), "1", "field a/x");
      if (isListingDriver(driver)) await listsExactly(kit, { principal: "alice" }, [fresh]);
      await driver.sweep({ after: 0, before: now, limit: 10 });
      // If the backend kept its data, the commit that failed works now.
      if (await driver.load(id))
        assert.equal(await driver.commit(id, set("a/y", "1"), now), "committed", "commit");
      assert.equal(await driver.destroy(fresh, now), true, "destroy");
    },
  },
  {
    rule: "R11.5",
    title: "commits that an outage interrupts are made once or not at all",
    needs: "outage",
    async run(kit) {
      const { driver, now } = kit;
      const ids = [await begin(driver, now), await begin(driver, now), await begin(driver, now)];
      const commits: Promise<unknown>[] = [];
      const commit = (i: number) => {
        const change = set("a/x", "1");
        commits.push(driver.commit(ids[i] ?? "", change, now).catch((error: unknown) => error));
      };
      commit(0);
      commit(1);
      await during(kit, async () => {
        commit(2);
        await within(ANSWER_MS, Promise.all(commits), "a commit did not end while the backend was away");
      });
      const outcomes = await Promise.all(commits);
      for (const [i, id] of ids.entries()) {
        const record = await eventually(true, () => driver.load(id));
        const [version, outcome] = [record?.version, outcomes[i]];
        if (outcome === "committed")
          assert.ok(
            version === 2 || version === undefined,
            `commit returned committed, so it must have been made once, not ${Number(version) - 1} times`,
          );
        else {
          assert.ok(isSessionError(outcome, "ERR_SESSION_UNAVAILABLE"), `commit must reject, not ${outcome}`);
          assert.ok(
            version === undefined || version === 1 || version === 2,
            `the commit must have been made at most once, but the version is ${version}`,
          );
        }
      }
    },
  },
  {
    rule: "R11.6",
    title:
      "errors of create and commit while the backend is away hold none of the texts that they were given",
    needs: "outage",
    async run(kit) {
      const { driver, now } = kit;
      const id = await begin(driver, now);
      const text = `text-${newId()}`;
      const record = { expiresAt: now + HOUR, fields: fieldsOf(["a/x", text]) };
      const errors = await during(kit, () =>
        Promise.all(
          [driver.create(newId(), record, now), driver.commit(id, set("a/x", text), now)].map((call) =>
            call.then(() => undefined).catch((error: unknown) => error),
          ),
        ),
      );
      // Inspect the error as a log would, with its causes and hidden properties.
      for (const error of errors)
        assert.ok(
          !inspect(error, {
            depth: 12,
            showHidden: true,
            maxStringLength: null,
            maxArrayLength: null,
          }).includes(text),
          "an error is logged, and must not hold what a session holds: look at its cause too",
        );
    },
  },
];
