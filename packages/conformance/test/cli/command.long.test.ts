import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { workshop } from "./support.ts";

const { folder, write } = workshop();
const inPackage = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const bin = inPackage("bin.js");

/** As `npx @sessions/conformance` runs it, with pipes for its output. */
function command(args: readonly string[]): Promise<{ status: unknown; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [bin, ...args],
      { cwd: folder(), maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => {
        resolve({ status: error ? error.code : 0, stdout, stderr });
      },
    );
  });
}

/** A module as its author would write it, of which Node itself can load all. */
const module = (before: string, load = "") => `
  import { memoryDriver } from ${JSON.stringify(inPackage("../core/dist/memory.js"))};
  ${before}
  const drivers = new Map();
  export default {
    name: "memory",
    shared: false,
    open(namespace) {
      if (!drivers.has(namespace)) drivers.set(namespace, { ...memoryDriver(), ${load} });
      return drivers.get(namespace);
    },
  };`;

beforeAll(async () => {
  // Tests are run after a build.
  for (const built of ["dist/cli.js", "../core/dist/memory.js"]) await access(inPackage(built));
});

describe("the command", { timeout: 30_000 }, () => {
  test("ends by itself, with its status, though the module holds timers and sockets open", async () => {
    const path = await write(
      "open.mjs",
      module(`
        import { createServer } from "node:net";
        createServer().listen(0, "127.0.0.1");
        setInterval(() => {}, 1000);`),
    );
    const { status, stdout } = await command([path]);
    expect(stdout).toMatch(/^memory: \d+ of \d+ clauses passed, \d+ skipped$/m);
    expect(status).toBe(0);
  });

  test("prints all of a long report into a pipe, and nothing that the module logs", async () => {
    const path = await write(
      "loud.mjs",
      module('console.log("loud");', 'load: async () => { throw new Error("no ".repeat(5000)) }'),
    );
    const { status, stdout, stderr } = await command([path, "--json"]);
    expect(stdout.length).toBeGreaterThan(500_000);
    expect(JSON.parse(stdout).failed).toBeGreaterThan(30);
    expect(stderr).toContain("loud");
    expect(status).toBe(1);
  });

  test("reports an uncaught error, and where it came from", async () => {
    const path = await write("background.mjs", module('setImmediate(() => { throw new Error("later"); });'));
    const { status, stdout, stderr } = await command([path]);
    expect(stderr).toMatch(/uncaught error: Error: later \(background\.mjs:3:\d+\)/);
    expect([status, stdout]).toEqual([1, ""]);
  });

  test("tells a module that waits for ever from one that passed", async () => {
    const path = await write("waits.mjs", "await new Promise(() => {});");
    const { status, stderr } = await command([path]);
    expect(stderr).toContain("waits for something that never happens");
    expect(status).toBe(2);
  });

  test("tells how a TypeScript module is loaded where Node cannot do that", async () => {
    const path = await write("mine.ts", "enum A { b }\nexport default A;");
    const { status, stderr } = await command([path]);
    expect(stderr).toContain("node --import tsx node_modules/@sessions/conformance/bin.js ./mine.ts\n");
    expect(status).toBe(2);
  });
});
