import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { pack, publishable } from "../tools/publishable.mjs";

const run = promisify(execFile);
const shell = process.platform === "win32"; // npm is a .cmd file there
const root = new URL("../", import.meta.url);
const packages = publishable();

/** An empty project in which somebody has installed the packages as they would be published. */
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sessions-tarballs-"));
  await writeFile(join(folder, "package.json"), '{ "private": true }');
  const tarballs = await Promise.all(packages.map((one) => pack(one, folder)));
  const versionIn = async (name: string, dependency: string): Promise<string> => {
    const manifest = JSON.parse(await readFile(new URL(`packages/${name}/package.json`, root), "utf8"));
    return `${dependency}@${manifest.devDependencies[dependency]}`;
  };
  const others = [
    await versionIn("adapter-node", "express"),
    // The one client without which its driver cannot be loaded.
    await versionIn("driver-dynamodb", "@aws-sdk/client-dynamodb"),
  ];
  await run("npm", ["install", "--no-audit", "--no-fund", ...tarballs, ...others], { cwd: folder, shell });
}, 180_000); // npm fetches the others; a slow network is no fault of ours

afterAll(() => rm(folder, { recursive: true, force: true }));

// A busy machine takes its time to start Node; no test waits for this to pass.
test.each(packages.flatMap((one) => one.exports))("import %s", { timeout: 60_000 }, async (path) => {
  const script = `import(${JSON.stringify(path)}).then((all) => console.log(Object.keys(all).length))`;
  const { stdout } = await run(process.execPath, ["-e", script], { cwd: folder });
  expect(Number(stdout)).toBeGreaterThan(0);
});

test.each(packages)(
  "$name holds what was built, and nothing that points at its source",
  async ({ name, folder: own }) => {
    const installed = join(folder, "node_modules", name);
    const files = await readdir(installed, { recursive: true });
    // The package that create-driver writes has a source of its own.
    expect(files.filter((file) => /^src\b/.test(file))).toEqual([]);
    const manifest = await readFile(join(installed, "package.json"), "utf8");
    expect(manifest).not.toContain("@sessions/source");
    expect(Object.keys(JSON.parse(manifest).exports)).toEqual(
      Object.keys(JSON.parse(await readFile(join(own, "package.json"), "utf8")).exports),
    );
    for (const file of files.filter((file) => /\.(js|ts|mjs)$/.test(file)))
      expect(await readFile(join(installed, file), "utf8"), file).not.toMatch(/^\/\/# sourceMappingURL=/m);
  },
);

describe("the first example of the README", () => {
  let server: ChildProcess;
  let origin: string;

  beforeAll(async () => {
    const readme = await readFile(new URL("README.md", root), "utf8");
    const example = /^```(?:js|ts)\n(.*?)^```$/ms.exec(readme)?.[1];
    assert(example, "README.md has no block of js or ts");
    await writeFile(join(folder, "hello.mjs"), example);
    const port = String(await freePort());
    server = spawn(process.execPath, ["hello.mjs"], {
      cwd: folder,
      env: { ...process.env, NODE_ENV: "development", PORT: port },
      stdio: ["ignore", "pipe", "inherit"],
    });
    origin = await Promise.race([
      addressSaidBy(server),
      once(server, "exit").then(([code]) => assert.fail(`the example ended with ${code}`)),
    ]);
  }, 60_000);

  afterAll(async () => {
    if (server.exitCode !== null || !server.kill()) return;
    await once(server, "exit");
  });

  test("counts visits and fills the cart of one visitor", async () => {
    const first = await fetch(origin);
    expect(await first.text()).toContain("Visit 1.");
    const cookie = first.headers.getSetCookie()[0]?.split(";")[0];
    assert(cookie, "the first response sets no cookie");

    const headers = { cookie };
    expect((await fetch(`${origin}/cart`, { method: "POST", headers, redirect: "manual" })).status).toBe(303);
    const second = await (await fetch(origin, { headers })).text();
    expect(second).toContain("Visit 2.");
    expect(second).toContain("In the cart: tea");

    expect(await (await fetch(origin)).text(), "another visitor").toContain("Visit 1.");
  });
});

async function addressSaidBy(child: ChildProcess): Promise<string> {
  let said = "";
  for await (const chunk of child.stdout ?? []) {
    said += chunk;
    const address = /http:\/\/localhost:\d+/.exec(said);
    if (address) return address[0];
  }
  throw new Error(`the example said no address, but: ${said}`);
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0);
  await once(probe, "listening");
  const address = probe.address();
  assert(typeof address === "object" && address);
  probe.close();
  await once(probe, "close");
  return address.port;
}
