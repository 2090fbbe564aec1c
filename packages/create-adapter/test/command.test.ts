import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { commandOf, emptyFolder, filesBelow } from "@sessions/create-package/testing";
import { beforeEach, expect, test } from "vitest";
import { adapter } from "../src/adapter.ts";

// What both commands do alike is tested with `npm create @sessions/driver`.
const create = commandOf(adapter);
const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");

let files: Map<string, string>;
const text = (path: string): string => files.get(path) ?? expect.fail(`${path} is missing`);

beforeEach(async () => {
  const cwd = emptyFolder();
  expect(await create(cwd, ["@me/adapter-My-Http2"])).toMatchObject({ status: 0, err: "" });
  files = filesBelow(join(cwd, "adapter-my-http2"));
});

test.each([
  ["hapi", "sessions-adapter-hapi", "sessions-adapter-hapi", "hapiSessions"],
  ["adapter-hapi", "adapter-hapi", "adapter-hapi", "hapiSessions"],
  ["@me/hapi", "@me/hapi", "hapi", "hapiSessions"],
  ["FeathersJS", "sessions-adapter-feathersjs", "sessions-adapter-feathersjs", "feathersjsSessions"],
  // A name of the other command is no prefix here.
  ["driver-hapi", "sessions-adapter-driver-hapi", "sessions-adapter-driver-hapi", "driverHapiSessions"],
])("%s is the package %s in the folder %s, with %s", async (asked, name, folder, made) => {
  const cwd = emptyFolder();
  expect(await create(cwd, [asked])).toMatchObject({ status: 0, err: "" });
  expect(readdirSync(cwd)).toEqual([folder]);
  const written = filesBelow(join(cwd, folder));
  expect(JSON.parse(written.get("package.json") ?? "")).toMatchObject({ name });
  expect(written.get("src/index.ts")).toContain(`export function ${made}(`);
});

test("it speaks of frameworks and adapters, and says where to read on", async () => {
  const cwd = emptyFolder();
  const { out } = await create(cwd, ["hapi"]);
  expect(out).toContain("Made sessions-adapter-hapi. Now write hapiSessions, which gives hapi its sessions.");
  expect(out).toMatch(/\/blob\/main\/docs\/writing-an-adapter\.md$/m);
  expect((await create(cwd, ["--help"])).out).toContain("npm create @sessions/adapter <name>");
  expect((await create(cwd, ["a b"])).err).toContain("a framework such as hapi or FeathersJS");
  expect((await create(cwd, [])).err).toContain("For example: npm create @sessions/adapter hapi");
});

test("a new package has everything that an adapter's package has, and no placeholder is left", () => {
  expect([...files.keys()]).toEqual([
    ".changeset/config.json",
    ".changeset/first.md",
    ".github/workflows/ci.yml",
    ".gitignore",
    "LICENSE",
    "README.md",
    "package.json",
    "src/index.ts",
    "src/not-written.ts",
    "test/conformance.test.ts",
    "test/target.ts",
    "tsconfig.build.json",
    "tsconfig.json",
    "vitest.config.ts",
  ]);
  for (const [path, content] of files) expect(content, path).not.toMatch(/__|backend/);
});

test("the framework keeps its capitals in texts, and has small letters wherever a program reads", () => {
  expect(JSON.parse(text("package.json"))).toMatchObject({
    name: "@me/adapter-my-http2",
    description: "Sessions of @sessions/core for My-Http2.",
    keywords: ["session", "sessions", "adapter", "my-http2"],
    repository: { url: "git+https://github.com/me/adapter-my-http2.git" },
    files: ["dist", "conformance.svg", "conformance.md"],
  });
  expect(text("src/index.ts")).toContain(
    "export function myHttp2Sessions(sessions: SessionManager, options: MyHttp2SessionsOptions = {}) {",
  );
  expect(text("test/target.ts")).toContain('  name: "My-Http2",\n');
  expect(text("README.md")).toMatch(/^# @me\/adapter-my-http2\n\nSessions of .* for My-Http2\. /);
  expect(text("README.md")).toContain('import { myHttp2Sessions } from "@me/adapter-my-http2";');
});

test("its README has the sections of every adapter's README, in their order", () => {
  const sections = (readme: string) => [...readme.matchAll(/^## (.*)$/gm)].map(([, title]) => title);
  expect(sections(text("README.md"))).toEqual([
    ...sections(read("packages/adapter-koa/README.md")),
    "Work on it",
  ]);
});

test("its links lead to files of this repository, and its comments name functions that there are", () => {
  const { repository } = JSON.parse(read("package.json"));
  const address = `${repository.url.replace(/^git\+|\.git$/g, "")}/blob/main/`;
  for (const [path, content] of files) {
    for (const [link] of path === "package.json"
      ? []
      : content.matchAll(/https:\/\/github\.com\/[^\s"')`}]+/g)) {
      expect(link, path).toContain(address);
      expect(read(link.slice(address.length).split("#")[0] ?? ""), link).not.toBe("");
    }
  }
  const tools = read("packages/core/src/adapter-tools.ts");
  const called = [...text("src/index.ts").matchAll(/\b(\w+)\((?:sessions|session|headers|status)\b/g)];
  const names = called.map(([, name = ""]) => name).filter((name) => name !== "myHttp2Sessions");
  expect(names).toEqual(expect.arrayContaining(["openOptionsOf", "dropLogin", "wasRead", "keepFromCaches"]));
  for (const name of names) expect(tools).toMatch(new RegExp(`\\b${name}\\b`));
});

test("its tools have the versions that this repository uses, and its sessions packages those that are here", () => {
  const version = (path: string): string => JSON.parse(read(`${path}/package.json`)).version;
  const tools = JSON.parse(read("package.json")).devDependencies;
  const vitest = /^ {2}vitest: (.*)$/m.exec(read("pnpm-workspace.yaml"))?.[1];
  const { peerDependencies, devDependencies, engines } = JSON.parse(text("package.json"));
  expect(devDependencies).toEqual({
    "@changesets/cli": `^${tools["@changesets/cli"]}`,
    "@sessions/adapter-conformance": `^${version("packages/adapter-conformance")}`,
    "@sessions/core": `^${version("packages/core")}`,
    "@types/node": tools["@types/node"],
    typescript: `^${tools.typescript}`,
    vitest: `^${vitest}`,
  });
  expect(peerDependencies).toEqual({ "@sessions/core": `>=${version("packages/core")} <1.0.0` });
  expect(engines).toEqual(JSON.parse(read("packages/core/package.json")).engines);
});
