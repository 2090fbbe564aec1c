import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parse } from "yaml";

const root = fileURLToPath(new URL("../", import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const folder = ".github/workflows";

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}
interface Job {
  readonly "timeout-minutes"?: number;
  readonly environment?: string;
  readonly permissions?: unknown;
  readonly env?: Readonly<Record<string, string>>;
  readonly strategy?: { readonly matrix: Readonly<Record<string, readonly unknown[]>> };
  readonly steps: readonly Step[];
}
interface Workflow {
  readonly permissions?: unknown;
  readonly concurrency?: { readonly group?: string };
  readonly jobs: Readonly<Record<string, Job>>;
}
interface Server {
  readonly image: string;
  readonly driver: string;
  readonly server: string;
}
interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly scripts?: Readonly<Record<string, string>>;
}
interface Field {
  readonly type: string;
  readonly id?: string;
  readonly attributes: {
    readonly label?: string;
    readonly value?: string;
    readonly options?: readonly unknown[];
  };
  readonly validations?: { readonly required: boolean };
}
interface Form {
  readonly name: string;
  readonly description: string;
  readonly body: readonly Field[];
}

const load = (name: string): Workflow => parse(read(`${folder}/${name}`));
const manifest = (path: string): Manifest => JSON.parse(read(`${path}/package.json`));

const names = readdirSync(join(root, folder));
const { jobs } = load("test.yml");
const rows: readonly Server[] = parse(read(`${folder}/test.yml`)).jobs.server.strategy.matrix.include;

const foldersIn = (parent: string): string[] =>
  readdirSync(join(root, parent), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => `${parent}/${entry.name}`);

/** Every way in which a matrix fills the command. */
function commandsOf({ steps, strategy }: Job): string[] {
  const runs = steps.flatMap(({ run, with: inputs = {} }) => [run, inputs["version"], inputs["publish"]]);
  const commands = runs.filter((run) => typeof run === "string");
  if (strategy?.matrix["include"] === undefined) return commands;
  return rows.flatMap(({ driver }) =>
    commands.map((run) => run.replace(/\$\{\{ matrix\.driver \}\}/g, driver)),
  );
}

test.each(names)("%s reads only, is one at a time, and ends in time", (name) => {
  const { permissions, concurrency, jobs } = load(name);
  expect(permissions).toEqual({ contents: "read" });
  expect(concurrency?.group).toBeTruthy();
  for (const job of Object.values(jobs)) expect(job["timeout-minutes"]).toBeLessThanOrEqual(90);
});

test.each(names)("every action of %s is pinned by its whole version", (name) => {
  const used = Object.values(load(name).jobs).flatMap(({ steps }) => steps.flatMap(({ uses }) => uses ?? []));
  expect(used.length).toBeGreaterThan(0);
  for (const one of used) expect(one).toMatch(/^[\w-]+\/[\w-]+@v\d+\.\d+\.\d+$/);
  // With it, renovate updates them.
  expect(JSON.parse(read("renovate.json")).extends).toContain("config:recommended");
});

test.each(names)("every script that %s calls exists, in the package it names", (name) => {
  const packages = new Map(
    ["packages", "tools"]
      .flatMap((parent) => foldersIn(parent))
      .map((path): [string, string[]] => {
        const { name: own, scripts = {} } = manifest(path);
        return [own, Object.keys(scripts)];
      }),
  );
  // Of pnpm itself, and a program of the root's node_modules/.bin.
  const known = [...Object.keys(manifest(".").scripts ?? {}), "install", "changeset"];
  const commands = Object.values(load(name).jobs)
    .flatMap(commandsOf)
    .filter((command) => command.startsWith("pnpm "));
  expect(commands.length).toBeGreaterThan(0);
  for (const command of commands) {
    const [, filter, script = ""] = /^pnpm (?:--filter (\S+) )?(\S+)/.exec(command) ?? [];
    expect(filter === undefined ? known : packages.get(filter), command).toContain(script);
  }
});

test("the tests run on every Node that the packages support, and on three systems", () => {
  for (const job of ["no-server", "runtimes"])
    expect(jobs[job]?.strategy?.matrix["node"]).toEqual([20, 22, 24]);
  const systems = jobs["no-server"]?.strategy?.matrix["os"];
  expect(systems?.map((os) => String(os).split("-")[0])).toEqual(["ubuntu", "macos", "windows"]);
});

test("every server that the drivers support is tried, by its own name", () => {
  expect(rows.map(({ server }) => server)).toEqual([
    ...["Redis 7", "Redis 8", "Valkey 8", "Valkey 9"],
    ...["MySQL 8.4", "MySQL 9", "MariaDB 10.6", "MariaDB 10.11", "MariaDB 11"],
    ...[13, 14, 15, 16, 17, 18].map((version) => `PostgreSQL ${version}`),
    ...["4.4", 5, 6, 7, 8].map((version) => `MongoDB ${version}`),
  ]);
  const images: Record<string, string> = {
    postgresql: "postgres",
    mongodb: "mongo",
    valkey: "valkey/valkey",
  };
  for (const { image, driver, server } of rows) {
    const [kind = "", version] = server.toLowerCase().split(" ");
    expect(image).toBe(`${images[kind] ?? kind}:${version}`);
    expect(jobs["server"]?.env?.[`SESSIONS_TEST_${driver.toUpperCase()}_VERSION`]).toMatch(
      /^\$\{\{ matrix\.server \}\}$/,
    );
  }
});

test("every published package is tested by a job of its own besides the job of all", () => {
  const tested = Object.values(jobs)
    .flatMap(commandsOf)
    .flatMap((command) => /--filter @sessions\/(\S+) test/.exec(command)?.[1] ?? []);
  // The bridge needs four servers at once.
  const all = readdirSync(join(root, "packages")).filter((name) => name !== "express-session");
  expect(all.filter((name) => !tested.includes(name))).toEqual([]);
});

test("a release is signed, and waits for a maintainer", () => {
  const { release } = load("release.yml").jobs;
  expect(release?.environment).toBe("release");
  expect(release?.permissions).toMatchObject({ "id-token": "write" });
  const publishing = release?.steps.find(({ uses }) => uses?.startsWith("changesets/action@"));
  expect(publishing?.env).toMatchObject({ NPM_CONFIG_PROVENANCE: "true" });
});

test("the issue forms ask for what a bug report needs", () => {
  const forms = readdirSync(join(root, ".github/ISSUE_TEMPLATE")).filter((name) => name !== "config.yml");
  const form = (name: string): Form => parse(read(`.github/ISSUE_TEMPLATE/${name}`));
  for (const { name, description, body } of forms.map(form)) {
    expect([name, description]).toEqual([expect.any(String), expect.any(String)]);
    for (const { type, attributes } of body)
      expect(type === "markdown" ? attributes.value : attributes.label).toEqual(expect.any(String));
  }
  const bug = form("bug.yml").body;
  const required = bug.filter(({ validations }) => validations?.required).map(({ id }) => id);
  const wanted = ["reproduction", "versions", "driver", "client", "server", "adapter", "runtime"];
  expect(required).toEqual(["what", ...wanted]);
  const options = (id: string): unknown => bug.find((field) => field.id === id)?.attributes.options;
  for (const name of readdirSync(join(root, "packages"))) {
    if (name.startsWith("driver-")) expect(options("driver")).toContain(name.slice("driver-".length));
    if (name.startsWith("adapter-") && name !== "adapter-conformance")
      expect(options("adapter")).toContain(name);
  }
});
