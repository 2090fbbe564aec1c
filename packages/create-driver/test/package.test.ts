import { readFileSync } from "node:fs";
import { join } from "node:path";
import { commandOf, emptyFolder, filesBelow } from "@sessions/create-package/testing";
import { beforeEach, expect, test } from "vitest";
import { driver } from "../src/driver.ts";

const create = commandOf(driver);

const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");

let files: Map<string, string>;
const text = (path: string): string => files.get(path) ?? expect.fail(`${path} is missing`);

beforeEach(async () => {
  const cwd = emptyFolder();
  expect(await create(cwd, ["@me/driver-level-db2"])).toMatchObject({ status: 0, err: "" });
  files = filesBelow(join(cwd, "driver-level-db2"));
});

test("a new package has everything that a driver's package has", () => {
  expect([...files.keys()]).toEqual([
    ".changeset/config.json",
    ".changeset/first.md",
    ".github/workflows/ci.yml",
    ".gitignore",
    "LICENSE",
    "README.md",
    "package.json",
    "src/from-url.ts",
    "src/index.ts",
    "src/not-written.ts",
    "src/provisioning.ts",
    "test/conformance.test.ts",
    "test/target.ts",
    "tsconfig.build.json",
    "tsconfig.json",
    "vitest.config.ts",
  ]);
});

test("no placeholder is left in any file", () => {
  for (const [path, content] of files) expect(content, path).not.toMatch(/__/);
});

test("each of its names is where it belongs", () => {
  expect(JSON.parse(text("package.json"))).toMatchObject({
    name: "@me/driver-level-db2",
    repository: { type: "git", url: "git+https://github.com/me/driver-level-db2.git" },
  });
  expect(text("src/index.ts")).toContain(
    "export function levelDb2Driver(options: LevelDb2DriverOptions): ListingDriver {",
  );
  expect(text("src/index.ts")).toContain('\n    name: "level-db2",\n');
  expect(text("test/target.ts")).toContain('import { levelDb2Driver } from "../src/index.ts";');
  expect(text("README.md")).toMatch(/^# @me\/driver-level-db2\n\nKeeps sessions of .* in level-db2\.\n/);
  expect(text("README.md")).toContain("npm install @sessions/core @me/driver-level-db2\n");
  expect(text("README.md")).toContain('import { levelDb2Driver } from "@me/driver-level-db2";');
  expect(text(".changeset/first.md")).toBe(
    '---\n"@me/driver-level-db2": minor\n---\n\nSessions in level-db2.\n',
  );
  expect(text("LICENSE")).toContain(
    `Copyright (c) ${new Date().getFullYear()} the @me/driver-level-db2 authors\n`,
  );
});

test("it exports fromUrl, for URLs whose scheme is the backend's name", () => {
  expect(text("src/index.ts")).toContain('export { fromUrl } from "./from-url.ts";');
  expect(text("src/from-url.ts")).toContain("export const fromUrl: FromUrl = async (url) => {");
  expect(text("src/from-url.ts")).toContain('schemes: ["level-db2"]');
});

test("a backend with capitals keeps them in texts, and has small letters wherever a program reads", async () => {
  const cwd = emptyFolder();
  expect(await create(cwd, ["LibSQL"])).toMatchObject({ status: 0, err: "" });
  const made = filesBelow(join(cwd, "sessions-driver-libsql"));
  const manifest = JSON.parse(made.get("package.json") ?? "");
  expect(manifest).toMatchObject({
    name: "sessions-driver-libsql",
    description: "Keeps sessions of @sessions/core in LibSQL.",
    keywords: ["session", "sessions", "driver", "libsql"],
    repository: { url: "git+https://github.com/OWNER/sessions-driver-libsql.git" },
  });
  const index = made.get("src/index.ts");
  for (const part of [
    "export function libsqlDriver(options: LibsqlDriverOptions)",
    'checkClient(client, "a client of LibSQL", ',
    '    name: "libsql",\n',
    " * Keeps sessions in LibSQL.\n",
  ])
    expect(index).toContain(part);
});

test("what it publishes has the badge, and its tests have the time that the kit needs", () => {
  expect(JSON.parse(text("package.json")).files).toEqual(["dist", "conformance.svg", "conformance.md"]);
  expect(text("vitest.config.ts")).toMatch(/testTimeout: 30_000/);
});

test("its links lead to files of this repository or of its own", () => {
  const { repository } = JSON.parse(read("package.json"));
  const address = repository.url.replace(/^git\+|\.git$/g, "");
  const links = [...files].flatMap(([path, content]) =>
    [...content.matchAll(/https:\/\/github\.com\/[^\s"')`}]+/g)].map(([link]) => ({ path, link })),
  );
  expect(links.map(({ path }) => path)).toEqual(expect.arrayContaining(["README.md", "src/not-written.ts"]));
  for (const { path, link } of links.filter(({ path }) => path !== "package.json")) {
    expect(link, path).toMatch(new RegExp(`^${address}/blob/main/`));
    expect(read(link.slice(`${address}/blob/main/`.length).split("#")[0] ?? ""), link).not.toBe("");
  }
  // A path of this repository leads nowhere in another.
  for (const [path, content] of files)
    expect(content.replaceAll(`${address}/blob/main/SPEC.md`, ""), path).not.toMatch(/SPEC\.md|docs\//);
});

test("its README has the sections of every driver's README, in their order", () => {
  const sections = (readme: string) => [...readme.matchAll(/^## (.*)$/gm)].map(([, title]) => title);
  const own = ["Clients", "Tested on", "Dependencies", "Source"];
  const ours = sections(read("packages/driver-sqlite/README.md")).filter(
    (title) => !own.includes(title ?? ""),
  );
  expect(sections(text("README.md"))).toEqual([...ours, "Work on it"]);
});

test("its CI tries the same on Node 20, 22 and 24", () => {
  expect(text(".github/workflows/ci.yml")).toContain("node: [20, 22, 24]");
  expect(text(".github/workflows/ci.yml")).toMatch(/node-version: \$\{\{ matrix\.node \}\}/);
  const runs = [...text(".github/workflows/ci.yml").matchAll(/- run: (.*)$/gm)].map(([, command]) => command);
  expect(runs).toEqual(["npm install", "npm run types", "npm run build", "npm test"]);
});

test("its tools have the versions that this repository uses, and its sessions packages those that are here", () => {
  const version = (path: string): string => JSON.parse(read(`${path}/package.json`)).version;
  const tools = JSON.parse(read("package.json")).devDependencies;
  const vitest = /^ {2}vitest: (.*)$/m.exec(read("pnpm-workspace.yaml"))?.[1];
  const { peerDependencies, devDependencies, engines } = JSON.parse(text("package.json"));
  expect(devDependencies).toEqual({
    "@changesets/cli": `^${tools["@changesets/cli"]}`,
    "@sessions/conformance": `^${version("packages/conformance")}`,
    "@sessions/core": `^${version("packages/core")}`,
    "@types/node": tools["@types/node"],
    typescript: `^${tools.typescript}`,
    vitest: `^${vitest}`,
  });
  expect(peerDependencies).toEqual({ "@sessions/core": `>=${version("packages/core")} <1.0.0` });
  expect(engines).toEqual(JSON.parse(read("packages/core/package.json")).engines);
});
