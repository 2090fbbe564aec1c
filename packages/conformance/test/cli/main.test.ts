import { mkdir, readFile } from "node:fs/promises";
import { env } from "node:process";
import { beforeAll, describe, expect, test } from "vitest";
import { advice } from "../../src/advice.ts";
import { faulty, ONE_FOR_ALL, SOUND, workshop } from "./support.ts";

const { folder, write, run } = workshop();
let sound: string;
let wrong: string;

beforeAll(async () => {
  sound = await write("sound.mjs", SOUND);
  wrong = await write("wrong.mjs", faulty("a new expiry revives an expired record"));
});

/** Text as it was before it was broken into lines. */
const joined = (text: string) => text.replace(/\s+/g, " ");

describe("a sound driver", () => {
  test("ends with 0, and prints a row for each rule and the reasons of what was skipped", async () => {
    const { status, out } = await run([sound]);
    expect(status).toBe(0);
    for (let rule = 1; rule <= 14; rule++) expect(out).toMatch(new RegExp(`^│ R${rule} +│ \\w`, "m"));
    expect(out).toMatch(/Skipped\n {2}the target is not shared\n {4}R1\.8, R3\.5, R5\.4/);
    expect(out).toMatch(/^memory: \d+ of \d+ clauses passed, \d+ skipped$/m);
  });
});

describe("a driver with a fault", () => {
  test("ends with 1, and prints the clause, what was seen, what to change and where to read", async () => {
    const { status, out } = await run([wrong]);
    expect(status).toBe(1);
    expect(out).toMatch(/^R4\.3 commit to an expired record returns gone/m);
    expect(out).toMatch(/Seen\n {4}commit: expected 'gone', seen 'committed'\n/);
    expect(joined(out)).toContain(advice("R4.3"));
    const { repository } = JSON.parse(
      await readFile(new URL("../../../../package.json", import.meta.url), "utf8"),
    );
    const address = `${repository.url.replace(/^git\+|\.git$/g, "")}/blob/main/SPEC.md`;
    expect(out).toContain(`    R4.3 in ${address}#r4-gone-stays-gone\n`);
    // A path leads nowhere for a reader who has only the kit.
    expect(out.replaceAll(address, "")).not.toMatch(/SPEC\.md|docs\//);
    expect(out).toMatch(/\d+ of \d+ clauses failed, \d+ passed, \d+ skipped\n/);
  });

  test("an error that the kit did not expect is shown with its kind, its cause and where it came from", async () => {
    const module = await write(
      "throws.mjs",
      `export const target = { name: "x", open() {
        const load = async () => { throw new RangeError("too far", { cause: new Error("from below") }); };
        return { name: "x", load, create: load, commit: load, destroy: load, sweep: load };
      } };`,
    );
    const { out } = await run([module, "--rule", "R2.2"]);
    expect(out).toMatch(
      /Seen\n {4}RangeError: too far\n {4}caused by Error: from below\n {4}at throws\.mjs:2:\d+\n/,
    );
  });

  test("what a driver answered wrongly is no error of anybody's, and is shown alone", async () => {
    const { out } = await run([wrong, "--rule", "R4.3"]);
    expect(out).not.toMatch(/AssertionError|\n {4}at /);
  });

  test("namespaces that share records are said to come first", async () => {
    const module = await write("shared.mjs", ONE_FOR_ALL);
    const shared = await run([module]);
    expect(shared.out).toContain("Fix R14.1 first");
    expect((await run([wrong])).out).not.toContain("Fix R14.1 first");
  });
});

describe("--json", () => {
  test("prints the report and nothing else, errors and advice included", async () => {
    const { status, out } = await run([wrong, "--json", "--seed", "7"]);
    expect(status).toBe(1);
    const report = JSON.parse(out);
    expect(report).toMatchObject({ target: "a new expiry revives an expired record", seed: 7 });
    expect(report.passed + report.failed + report.skipped).toBe(report.results.length);
    expect(report.results.find(({ rule }: { rule: string }) => rule === "R4.3")).toEqual({
      rule: "R4.3",
      title: expect.stringMatching(/^commit to an expired record/),
      status: "failed",
      error: { name: "AssertionError", message: "commit: expected 'gone', seen 'committed'" },
      advice: advice("R4.3"),
      read: expect.stringMatching(/^https:.*\/SPEC\.md#r4-gone-stays-gone$/),
    });
    expect(report.results.find(({ rule }: { rule: string }) => rule === "R11.1")).toEqual({
      rule: "R11.1",
      title: expect.stringMatching(/away$/),
      status: "skipped",
      reason: "the target has no outage",
    });
  });
});

describe("--rule", () => {
  test("runs the rules and clauses that it names, and no others", async () => {
    const { status, out } = await run([wrong, "--json", "--rule", "R2", "--rule", "R4.1"]);
    const rules = JSON.parse(out).results.map(({ rule }: { rule: string }) => rule);
    expect(status).toBe(0);
    expect(rules).toEqual(expect.arrayContaining(["R2.1", "R2.7", "R4.1"]));
    expect(rules.filter((rule: string) => !/^(R2\..+|R4\.1)$/.test(rule))).toEqual([]);
  });
});

describe("the seed", () => {
  test("is printed in a command line that runs the same again", async () => {
    const odd = await write("it's mine.mjs", SOUND);
    const { out } = await run([odd, "--seed", "2147483647", "--rule", "R6"], { command: "node bin.js" });
    expect(out).toContain("The same again: node bin.js './it'\\''s mine.mjs' --seed 2147483647 --rule R6\n");
  });

  test("is a new one where none is given, and the same one where it is given back", async () => {
    const first = (await run([sound, "--rule", "R1.1"])).out;
    const seed = /^Seed (\d+)\./m.exec(first)?.[1] ?? "";
    expect((await run([sound, "--rule", "R1.1"])).out).not.toContain(`Seed ${seed}.`);
    expect((await run([sound, "--rule", "R1.1", "--seed", seed])).out).toBe(first);
  });
});

describe("while it runs", () => {
  test("a terminal sees one line that counts, and is left with none", async () => {
    const { err } = await run([sound, "--rule", "R1"], { live: true, width: 30 });
    const lines = err.split("\r\u001b[2K");
    expect(lines[0]).toBe("");
    expect(lines[1]).toMatch(/^1\/\d+ R1\.1 a created/);
    expect(lines.at(-1)).toBe("");
    for (const line of lines) expect(line.length).toBeLessThan(30);
  });

  test("what is no terminal sees a line at the beginning", async () => {
    const { err } = await run([sound, "--rule", "R1"]);
    expect(err).toBe("Testing memory, as ./sound.mjs opens it\n");
  });

  test("colour is used where it is allowed, and nowhere else", async () => {
    expect((await run([wrong, "--rule", "R4"])).out).not.toContain("\u001b");
    const { out } = await run([wrong, "--rule", "R4"], { colour: true });
    expect(out).toContain("\u001b[31mR4.3 commit");
  });
});

test("--help says every option, and --version the package's version", async () => {
  const help = await run(["--help"]);
  expect([help.status, help.err]).toEqual([0, ""]);
  for (const option of ["--rule", "--seed", "--json", "--out", "--help", "--version"])
    expect(help.out).toContain(option);
  const { version } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
  expect(await run(["--version"])).toEqual({ status: 0, out: `${version}\n`, err: "" });
});

describe("a call that cannot be carried out ends with 2, says why, and prints no report", () => {
  const modules: Record<string, string> = {
    "throws.mjs": 'throw new RangeError("no client");',
    "nothing.mjs": "",
    "number.mjs": "export default 5; export const later = Promise.resolve();",
    "lame.mjs": 'export default { name: "lame" };',
    "odd.mjs": 'export default { name: "odd", open() {}, outtage: {} };',
    "lost.mjs": 'import "./not-there.mjs";',
    "wrong.mjs": "export default {",
    "away.mjs": 'export default { name: "away", open() { throw new Error("connect ECONNREFUSED"); } };',
  };
  const wrongCalls: [string, string[], RegExp][] = [
    ["no module", [], /Name the module to test/],
    ["two modules", ["./a.js", "./b.js"], /Name only one module, not ".\/a\.js" and ".\/b\.js"/],
    [
      "a misspelt flag",
      ["./sound.mjs", "--sed", "4"],
      /^sessions-conformance: unknown option "--sed"\. Did you mean "--seed"\?\n$/,
    ],
    ["an unknown flag", ["./sound.mjs", "--fast"], /unknown option "--fast"\. Known: --rule, --seed, --json/],
    ["a flag without its value", ["./sound.mjs", "--seed"], /--seed/],
    ["a seed that is no number", ["./sound.mjs", "--seed", "4x"], /--seed must be a whole number.*"4x"/],
    ["a negative seed", ["./sound.mjs", "--seed=-1"], /--seed must be.*"-1"/],
    ["a seed that is too large", ["./sound.mjs", "--seed", "2147483648"], /from 0 to 2147483647/],
    ["an unknown rule", ["./sound.mjs", "--rule", "R99"], /--rule must be.*such as R4.*"R99"/],
    ["a rule in small letters", ["./sound.mjs", "--rule", "r4"], /"r4"/],
    [
      "a badge of a part",
      ["./sound.mjs", "--rule", "R4", "--out", "."],
      /--out cannot be combined with --rule/,
    ],
    [
      "a folder that is a file",
      ["./sound.mjs", "--out", "sound.mjs"],
      /--out: the folder sound\.mjs cannot be created/,
    ],
    ["a folder without a name", ["./sound.mjs", "--out", ""], /--out must name a folder/],
    ["a module that is not there", ["./none.mjs"], /none\.mjs: there is no such file/],
    ["a module that is a folder", ["."], /expected a module, and found a folder/],
    [
      "a module that throws",
      ["./in/throws.mjs"],
      /in\/throws\.mjs: .*RangeError: no client \(in.throws\.mjs:1:7\)\n$/,
    ],
    ["a module that lacks another", ["./in/lost.mjs"], /lost\.mjs: the module cannot be loaded.*not-there/],
    ["a module that is not JavaScript", ["./in/wrong.mjs"], /wrong\.mjs: the module cannot be loaded/],
    [
      "a module without exports",
      ["./in/nothing.mjs"],
      /its default export, or an export named target.*found no export/,
    ],
    [
      "a module without a target",
      ["./in/number.mjs"],
      /found default \(number\), later \(a promise: await it\)/,
    ],
    [
      "a target whose backend is not there",
      ["./in/away.mjs"],
      /^Testing away, as .*\nsessions-conformance: no clause was tested, because target\.open\(\) failed in a new namespace: Error: connect ECONNREFUSED\. Start the backend, .*\n$/,
    ],
    ["a target without open", ["./in/lame.mjs"], /lame\.mjs: target\.open must be a function/],
    [
      "a target with a slip",
      ["./in/odd.mjs"],
      /odd\.mjs: unknown option "target\.outtage"\. Did you mean "target\.outage"\?/,
    ],
  ];

  beforeAll(async () => {
    await mkdir(`${folder()}/in`);
    for (const [name, source] of Object.entries(modules)) await write(`in/${name}`, source);
  });

  test.each(wrongCalls)("%s", async (_, args, message) => {
    const { status, out, err } = await run(args);
    expect([status, out]).toEqual([2, ""]);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/^\s+at /m);
  });

  test("a seed of the environment that is none", async () => {
    const before = env["SESSIONS_CONFORMANCE_SEED"];
    env["SESSIONS_CONFORMANCE_SEED"] = "many";
    try {
      const { status, err } = await run([sound]);
      expect(status).toBe(2);
      expect(err).toContain("SESSIONS_CONFORMANCE_SEED must be a whole number");
    } finally {
      if (before === undefined) delete env["SESSIONS_CONFORMANCE_SEED"];
      else env["SESSIONS_CONFORMANCE_SEED"] = before;
    }
  });
});
