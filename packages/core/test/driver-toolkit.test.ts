import { performance } from "node:perf_hooks";
import { describe, expect, test, vi } from "vitest";
import {
  closing,
  type FoundTable,
  inspectTable,
  mergeChange,
  mergeFields,
  missingPermissions,
  openByUrl,
  pageById,
  raisesVersion,
  readTable,
  readUrl,
  refuseForeign,
  refuseIncomplete,
  retry,
  serialize,
  type WantedTable,
} from "../src/driver-tools.ts";
import { SessionConfigError } from "../src/index.ts";
import { memoryDriver } from "../src/memory.ts";
import { thrownBy } from "./support.ts";

const none: ReadonlyMap<string, string | null> = new Map();

describe("a change", () => {
  test("sets, deletes and keeps fields, in the Map that is given", () => {
    const fields = new Map([
      ["a/x", "1"],
      ["a/y", "2"],
      ["a/z", "3"],
    ]);
    const patch = new Map([
      ["a/x", "4"],
      ["a/y", null],
      ["__proto__/x", "5"],
    ]);
    expect(mergeFields(fields, patch)).toBe(fields);
    expect([...fields]).toEqual([
      ["a/x", "4"],
      ["a/z", "3"],
      ["__proto__/x", "5"],
    ]);
  });

  test.each([
    [{ fields: none }, false],
    [{ fields: none, expiresAt: 5 }, false],
    [{ fields: new Map([["a/x", null]]) }, true],
    [{ fields: none, principal: null }, true],
    [{ fields: none, principal: "alice" }, true],
    [{ fields: none, ifVersion: 0 }, true],
  ])("raises the version by one, unless it is a touch: %o", (change, raises) => {
    expect(raisesVersion(change)).toBe(raises);
    const record = { version: 7, expiresAt: 1, fields: new Map() };
    expect(mergeChange(record, change).version).toBe(raises ? 8 : 7);
  });

  test("makes another record, and leaves the one that it is of", () => {
    const record = { version: 1, expiresAt: 10, principal: "alice", fields: new Map([["a/x", "1"]]) };
    const before = structuredClone(record);
    expect(mergeChange(record, { fields: new Map([["a/y", "2"]]), expiresAt: 20 })).toEqual({
      version: 2,
      expiresAt: 20,
      principal: "alice",
      fields: new Map([
        ["a/x", "1"],
        ["a/y", "2"],
      ]),
    });
    expect(mergeChange(record, { fields: none, principal: "bob" }).principal).toBe("bob");
    expect(mergeChange(record, { fields: none, principal: null })).not.toHaveProperty("principal");
    expect(record).toEqual(before);
  });
});

describe("serialize", () => {
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  test("begins work once the work before it has ended, well or badly", async () => {
    const owner = {};
    const log: string[] = [];
    const work = (name: string, fails: boolean) => async () => {
      log.push(`${name} begins`);
      await turn();
      log.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    };
    const done = ["a", "b", "c"].map((name) => serialize(owner, work(name, name === "b")));
    expect(await Promise.allSettled(done)).toMatchObject([
      { value: "a" },
      { reason: { message: "b" } },
      { value: "c" },
    ]);
    expect(log).toEqual(["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
  });

  test("has a queue for each object and each key", async () => {
    const owner = {};
    const never = () => new Promise<never>(() => {});
    void serialize(owner, never);
    void serialize(owner, never, "key");
    expect(await serialize({}, async () => 1)).toBe(1);
    expect(await serialize(owner, async () => 2, "another key")).toBe(2);
  });
});

describe("retry", () => {
  const contention = new Error("deadlock");
  const isContention = (error: unknown) => error === contention;

  test("does the work again while others are in the way, and tells which try it is", async () => {
    const tries: number[] = [];
    const work = (attempt: number) => {
      tries.push(attempt);
      if (attempt < 4) throw contention;
      return "done";
    };
    expect(await retry(work, { isContention })).toBe("done");
    expect(tries).toEqual([1, 2, 3, 4]);
  });

  test("rejects at once with any other error, and with the last one when no try is left", async () => {
    const other = vi.fn().mockRejectedValue(new Error("refused"));
    await expect(retry(other, { isContention })).rejects.toThrow("refused");
    expect(other).toHaveBeenCalledOnce();
    const busy = vi.fn().mockRejectedValue(contention);
    await expect(retry(busy, { isContention, attempts: 3, longestPause: 1 })).rejects.toBe(contention);
    expect(busy).toHaveBeenCalledTimes(3);
  });

  test("begins nothing once its time is over", async () => {
    const busy = vi.fn().mockRejectedValue(contention);
    const deadline = performance.now();
    await expect(retry(busy, { isContention, deadline })).rejects.toBe(contention);
    expect(busy).toHaveBeenCalledOnce();
  });
});

test("a full page has its last id as the cursor, and one that is not full has none", () => {
  const records = ["a", "b"].map((id) => ({ id, version: 1, expiresAt: 1, fields: new Map() }));
  expect(pageById(records, 2)).toEqual({ records, cursor: "b" });
  expect(pageById(records, 3)).toEqual({ records });
  expect(pageById([], 1)).toEqual({ records: [] });
});

describe("a driver's URL", () => {
  const rules = { where: "myDriver fromUrl", schemes: ["my"], options: ["table"] };
  const open = (url: string) => openByUrl("my://host", () => readUrl(url, rules).hostname);

  test.each(["my://there", "MY://there?other=1"])("is read: %s", (url) => {
    expect(open(url)).toBe("there");
  });

  test.each(["", "no URL", "your://u:secret@there", "my:there", "my://u:secret@ /"])(
    "that is none is refused, and not shown: %j",
    async (url) => {
      const error = await thrownBy(async () => open(url));
      expect(error).toBeInstanceOf(SessionConfigError);
      expect(error).toMatchObject({ message: "The URL must be like my://host" });
      expect(error).not.toHaveProperty("cause");
    },
  );

  test("has no option of the driver behind its question mark", () => {
    expect(() => open("my://u:secret@there?table=t")).toThrow(
      new SessionConfigError(
        'myDriver fromUrl: "table" is an option, not a parameter of the URL. Use fromUrl(url, { table })',
      ),
    );
  });

  test("what it opened is closed once", async () => {
    const close = vi.fn(async () => {});
    const driver = closing(memoryDriver(), close);
    expect(driver.name).toBe("memory");
    await Promise.all([driver.close(), driver.close()]);
    await driver.close();
    expect(close).toHaveBeenCalledOnce();
  });
});

describe("a table's name", () => {
  test("is quoted, its schema too", () => {
    const rules = { form: /^\w+(\.\w+)?$/, must: "a name" };
    expect(readTable("app.Sessions", rules)).toEqual({
      option: "app.Sessions",
      name: "Sessions",
      schema: "app",
      quoted: '"app"."Sessions"',
    });
    expect(readTable("sessions", { ...rules, quote: "`" })).toMatchObject({
      schema: undefined,
      quoted: "`sessions`",
    });
  });

  test.each(["", 'a"b', "a`b", "a b", "a.b.c", "ä", "a\n"])(
    "is refused where it could end its quotes: %j",
    (name) => {
      expect(() => readTable(name, { form: /^/, must: "a name" })).toThrow(/^table must be a name; got/);
    },
  );

  test("is refused where it is of another form", () => {
    expect(() => readTable("a.b", { form: /^\w+$/, must: "a name" })).toThrow(/^table must be a name/);
    expect(() => readTable(JSON.parse("5"), { form: /^\w+$/, must: "a name" })).toThrow("got 5");
  });
});

describe("a table of SQL", () => {
  const wanted: WantedTable = {
    driver: "mine",
    table: "t",
    columns: { id: 'text COLLATE "C" NOT NULL', principal: "text NULL", expires_at: "bigint NOT NULL" },
    primaryKey: ["id"],
    indexes: {
      by_expiry: { columns: ["expires_at"], without: "sweep() reads the whole table" },
      by_principal: { columns: ["principal", "id"], without: "listings are slow", mayBePartial: true },
    },
  };
  const whole: FoundTable = {
    isTable: true,
    columns: new Map([
      ["id", { type: "text", isNullable: false, collation: "C" }],
      ["principal", { type: "TEXT", isNullable: true, collation: "de" }],
      ["expires_at", { type: "bigint", isNullable: false }],
      ["more", { type: "json", isNullable: true }],
    ]),
    primaryKey: ["id"],
    indexes: [{ columns: ["expires_at", "id"] }, { columns: ["principal", "id"], isPartial: true }],
  };
  const withColumn = (
    name: string,
    column?: Partial<{ type: string; isNullable: boolean; collation: string }>,
  ) => {
    const columns = new Map(whole.columns);
    const is = columns.get(name);
    if (column && is) columns.set(name, { ...is, ...column });
    else columns.delete(name);
    return { ...whole, columns };
  };

  test("that is as it must be has no problem", () => {
    const inspection = inspectTable(wanted, whole);
    expect(inspection).toEqual({ state: "complete", columnsFit: true, missingIndexes: [], problems: [] });
    expect(() => refuseIncomplete(wanted, inspection)).not.toThrow();
  });

  test.each<[FoundTable, string]>([
    [withColumn("expires_at", { type: "int" }), "The column expires_at of t is int: make it bigint NOT NULL"],
    [
      withColumn("id", { type: "" }),
      'The column id of t is without a type: make it text COLLATE "C" NOT NULL',
    ],
    [
      withColumn("id", { isNullable: true }),
      'The column id of t takes NULL: make it text COLLATE "C" NOT NULL',
    ],
    [
      withColumn("principal", { isNullable: false }),
      "The column principal of t refuses NULL: make it text NULL",
    ],
    [
      withColumn("id", { collation: "de" }),
      'The column id of t has the collation "de", and must have "C": else texts that differ may be equal, or in another order',
    ],
    [
      { ...whole, primaryKey: ["id", "version"] },
      "The primary key of t is not (id): make it so, or one id may have two records",
    ],
    [
      { ...whole, indexes: [{ columns: ["expires_at"], isPartial: true }, ...whole.indexes.slice(1)] },
      "The index on (expires_at) of t is missing, and sweep() reads the whole table: run setup()",
    ],
    [
      { ...whole, indexes: [...whole.indexes.slice(0, 1), { columns: ["principal"] }] },
      "The index on (principal, id) of t is missing, and listings are slow: run setup()",
    ],
  ])("has a sentence for what is wrong", (found, sentence) => {
    const columnsFit = !sentence.startsWith("The column");
    expect(inspectTable(wanted, found)).toMatchObject({
      state: "complete",
      columnsFit,
      problems: [sentence],
    });
  });

  test("names the indexes that setup() is to make", () => {
    expect(inspectTable(wanted, { ...whole, indexes: [] }).missingIndexes).toEqual([
      "by_expiry",
      "by_principal",
    ]);
    const missing = inspectTable(wanted, undefined);
    expect(missing).toEqual({
      state: "missing",
      columnsFit: false,
      missingIndexes: ["by_expiry", "by_principal"],
      problems: ["The table t is missing: run setup()"],
    });
    expect(() => refuseIncomplete(wanted, missing)).not.toThrow();
  });

  test("that lacks one column is the driver's own, and setup() refuses it", () => {
    const inspection = inspectTable(wanted, withColumn("principal"));
    expect(inspection).toMatchObject({
      state: "incomplete",
      problems: ["The column principal of t is missing: make it text NULL"],
    });
    expect(() => refuseForeign(wanted, inspection)).not.toThrow();
    expect(() => refuseIncomplete(wanted, inspection)).toThrow('mine: the table "t" lacks a column');
  });

  test.each([
    ["a view", { ...whole, isTable: false }],
    [
      "a table that lacks two columns",
      { ...withColumn("principal"), columns: new Map([["id", { type: "text", isNullable: false }]]) },
    ],
  ])("that is another application's is refused: %s", (_, found) => {
    const inspection = inspectTable(wanted, found);
    const sentence =
      "t is no table of this driver's, which has the columns id, principal, expires_at: give the option table another name";
    expect(inspection).toEqual({
      state: "foreign",
      columnsFit: false,
      missingIndexes: [],
      problems: [sentence],
    });
    for (const refuse of [refuseForeign, refuseIncomplete])
      expect(() => refuse(wanted, inspection)).toThrow(`mine: ${sentence}. It was left as it is`);
  });

  test("permissions that the user lacks have a sentence each", () => {
    expect(missingPermissions("t", ["INSERT", "DELETE"])).toEqual([
      "The user has no permission: GRANT INSERT ON t to it",
      "The user has no permission: GRANT DELETE ON t to it",
    ]);
  });
});
