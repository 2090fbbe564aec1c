import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createSessionManager, driverFromUrl, SessionConfigError } from "../src/index.ts";
import { compileInto, cookieFrom, thrownBy } from "./support.ts";

const URL_WITH_PASSWORD = "acme://user:hunter2@db.example.org:1234/name?tls=hunter2";
const packages = { acme: "@acme/sessions-driver" };

/** What `fromUrl` of a package in the fixture gives back: a driver that knows who made it, and of what. */
const opens = (name: string): string => `
  const never = async () => undefined;
  export async function fromUrl(url, ...rest) {
    const methods = { create: never, load: never, commit: never, destroy: never, sweep: never };
    return { name: "fixture", from: ${JSON.stringify(name)}, url, rest, ...methods };
  }
`;

const [, program] = process.argv;
const cwd = process.cwd();
let root = "";

/** An application's folder, with packages installed in it. */
function application(installed: Record<string, { code: string; exports?: unknown }>): string {
  const folder = mkdtempSync(join(root, "app-"));
  for (const [name, { code, exports = "./index.js" }] of Object.entries(installed)) {
    const home = join(folder, "node_modules", name);
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, "package.json"), JSON.stringify({ name, type: "module", exports }));
    writeFileSync(join(home, "index.js"), code);
  }
  writeFileSync(join(folder, "app.js"), "");
  return folder;
}

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "sessions-")));
});

afterEach(() => {
  process.chdir(cwd);
  process.argv[1] = program ?? "";
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

/** Runs as the application's program, from its folder or from elsewhere. */
function runAs(folder: string, from: "its folder" | "elsewhere"): void {
  process.argv[1] = join(folder, "app.js");
  process.chdir(from === "elsewhere" ? root : folder);
}

/** Runs a program in plain Node, with a copy of this package in `home`, from a folder that has neither of them. */
function runProgram(
  path: string,
  code: string,
  { home = mkdtempSync(join(root, "copy-")), cwd = root, env = {} } = {},
) {
  const core = pathToFileURL(compileInto(home)).href;
  writeFileSync(path, `import { driverFromUrl } from ${JSON.stringify(core)};\n${code}`);
  return spawnSync(process.execPath, [path], {
    encoding: "utf8",
    cwd,
    env: { ...process.env, NODE_PATH: "", ...env },
  });
}

describe("memory:", () => {
  test.each(["memory:", "memory://", "MEMORY:", "memory:anything"])("%s needs no package", async (url) => {
    const driver = await driverFromUrl(url);
    expect(driver.name).toBe("memory");
    const sessions = createSessionManager({ driver });
    const session = await sessions.open(undefined);
    session.store("s").set("k", 1);
    const cookie = cookieFrom(await session.commit());
    expect((await sessions.open(cookie)).store("s").get("k")).toBe(1);
  });

  test("each call opens one of its own", async () => {
    expect(await driverFromUrl("memory:")).not.toBe(await driverFromUrl("memory:"));
  });
});

describe("a URL's scheme names the package", () => {
  test("in plain Node, without what the test runner lets it find", () => {
    const schemes = {
      "file:///var/sessions": "file",
      "sqlite:sessions.db": "sqlite",
      "postgres://localhost/app": "postgres",
      "postgresql://localhost/app": "postgres",
      "mysql://localhost/app": "mysql",
      "mariadb://localhost/app": "mysql",
      "mongodb://localhost/app": "mongodb",
      "mongodb+srv://localhost/app": "mongodb",
      "redis://localhost": "redis",
      "rediss://localhost": "redis",
      "dynamodb://eu-central-1/table": "dynamodb",
      "REDIS://localhost": "redis",
    };
    const drivers = Object.values(schemes).map((name) => `@sessions/driver-${name}`);
    const folder = application(Object.fromEntries(drivers.map((it) => [it, { code: opens(it) }])));
    const outcome = runProgram(
      join(folder, "app.mjs"),
      `const opened = [];
       for (const url of ${JSON.stringify(Object.keys(schemes))}) opened.push(await driverFromUrl(url));
       console.log(JSON.stringify(opened));`,
    );
    expect(JSON.parse(outcome.stdout)).toMatchObject(
      Object.entries(schemes).map(([url, name]) => ({ from: `@sessions/driver-${name}`, url, rest: [] })),
    );
  }, 30_000);

  test.each(["its folder", "elsewhere"] as const)(
    "also another's, installed by the application that runs from %s",
    async (from) => {
      runAs(application({ "@acme/sessions-driver": { code: opens("acme") } }), from);
      const driver = await driverFromUrl(URL_WITH_PASSWORD, packages);
      expect(driver).toMatchObject({ from: "acme", url: URL_WITH_PASSWORD });
    },
  );

  test("also one that is only for import, in plain Node", () => {
    const exports = { ".": { import: "./index.js" } };
    const folder = application({ "@acme/sessions-driver": { code: opens("acme"), exports } });
    const run = runProgram(
      join(folder, "app.mjs"),
      `console.log((await driverFromUrl("acme://x", ${JSON.stringify(packages)})).from);`,
    );
    expect(run).toMatchObject({ stdout: "acme\n", stderr: "", status: 0 });
  }, 30_000);

  test.each([
    ["when it is loaded", "import 'no-such-client'; export const fromUrl = 1"],
    ["when it opens", "export const fromUrl = () => import('no-such-client')"],
  ])(
    "a driver that lacks its client %s says how to install that, in plain Node",
    (_, code) => {
      const folder = application({ "@acme/sessions-driver": { code } });
      const run = runProgram(
        join(folder, "app.mjs"),
        `await driverFromUrl("acme://user:hunter2@x", ${JSON.stringify(packages)}).catch((error) => console.log(error.code, error.message));`,
        { env: { npm_config_user_agent: "pnpm/10.34.9 npm/? node/v20.20.2" } },
      );
      expect(run.stderr).toBe("");
      expect(run.stdout).toMatch(/^ERR_SESSION_CONFIG .*"pnpm add no-such-client"/);
      expect(run.stdout).not.toContain("hunter2");
    },
    30_000,
  );

  test("a package of the application's own choice takes the place of a known one", async () => {
    runAs(application({ "@acme/sessions-driver": { code: opens("acme") } }), "its folder");
    for (const scheme of ["redis", "memory"])
      expect(await driverFromUrl(`${scheme}://x`, { [scheme]: "@acme/sessions-driver" })).toMatchObject({
        from: "acme",
      });
  });

  test("the package beside this one comes before the program's, in plain Node", () => {
    const installed = (where: string) => application({ "@acme/sessions-driver": { code: opens(where) } });
    const home = join(installed("beside"), "copy");
    mkdirSync(home);
    const run = runProgram(
      join(installed("program"), "app.mjs"),
      `console.log((await driverFromUrl("acme://x", ${JSON.stringify(packages)})).from);`,
      { home, cwd: installed("folder") },
    );
    expect(run).toMatchObject({ stdout: "beside\n", stderr: "", status: 0 });
  }, 30_000);

  test.each([
    ["a program elsewhere", (): string => join(root, "manager.js")],
    ["no program", (): undefined => undefined],
  ])("a package in the current folder is not run by %s", async (_, program) => {
    const planted = "throw new Error('planted code ran')";
    process.chdir(application({ "@acme/sessions-driver": { code: planted } }));
    // @ts-expect-error as under `node --eval`
    process.argv[1] = program();
    const error = await thrownBy(() => driverFromUrl("acme://x", packages));
    expect(error).toBeInstanceOf(SessionConfigError);
    expect(error.message).toMatch(/(install|add) @acme\/sessions-driver/);
  });
});

describe("what cannot be opened is a SessionConfigError that says what to do, and never shows the URL", () => {
  async function refusal(url: string, known: Record<string, string> = packages): Promise<Error> {
    const error = await thrownBy(() => driverFromUrl(url, known));
    expect(error).toBeInstanceOf(SessionConfigError);
    // The message and the whole chain of causes.
    expect(inspect(error, { depth: 20, showHidden: true })).not.toMatch(/hunter2/);
    return error;
  }

  test.each([
    ["npm/10.8.2 node/v20.20.2 linux x64", "npm install @acme/sessions-driver"],
    ["pnpm/10.34.9 npm/? node/v20.20.2 linux x64", "pnpm add @acme/sessions-driver"],
    ["yarn/4.0.0 npm/? node/v20.20.2 linux x64", "yarn add @acme/sessions-driver"],
    ["bun/1.4.5 npm/? node/v20.20.2 linux x64", "bun add @acme/sessions-driver"],
    ["other/1.0.0", "npm install @acme/sessions-driver"],
    ["", "npm install @acme/sessions-driver"],
  ])("a package that is not installed, under %s", async (agent, command) => {
    vi.stubEnv("npm_config_user_agent", agent);
    runAs(application({}), "its folder");
    expect((await refusal(URL_WITH_PASSWORD)).message).toContain(command);
  });

  test("and without a package manager's name in the environment", async () => {
    vi.stubEnv("npm_config_user_agent", undefined);
    runAs(application({}), "its folder");
    expect((await refusal(URL_WITH_PASSWORD)).message).toContain("npm install @acme/sessions-driver");
  });

  test.each([
    ["a scheme that nobody knows", "acm://user:hunter2@host", /acm:/],
    ["one that objects know", "constructor://user:hunter2@host", /constructor:/],
    ["another", "__proto__://hunter2", /known are/],
    ["no scheme", "hunter2", /scheme/],
    ["no scheme, but a colon", "//user:hunter2@host", /scheme/],
    ["no scheme, but a path", "/var/hunter2", /scheme/],
  ])("%s", async (_, url, message) => {
    const error = await refusal(url);
    expect(error.message).toMatch(message);
    // What would have been right.
    expect(error.message).toMatch(/memory:.*redis:.*postgres:|memory:.*postgres:.*redis:/);
    expect(error.message).toMatch(/acme:/);
  });

  test.each([undefined, null, ""])(
    "a URL that is missing, as where a variable is not set: %j",
    async (url) => {
      // @ts-expect-error as from JavaScript
      const error = await thrownBy(() => driverFromUrl(url));
      expect(error).toBeInstanceOf(SessionConfigError);
      expect(error.message).toMatch(/is missing. Set the environment variable/);
    },
  );

  test.each<[string, unknown, RegExp]>([
    ["no map of packages", null, /packages must be an object.*got null/],
    ["a package in its place", "@acme/sessions-driver", /packages must be an object/],
    ["a list in its place", [], /packages must be an object/],
    ["a scheme in upper case", { Acme: "x" }, /scheme must be in lower case.*got "Acme"/],
    ["a scheme with its colon", { "acme:": "x" }, /without its colon.*got "acme:"/],
    ["an empty scheme", { "": "x" }, /scheme must be/],
    ["a scheme that begins with a digit", { "3com": "x" }, /scheme must be/],
    ["a package that is no text", { acme: undefined }, /packages\.acme must be the name of a package/],
    ["a package without a name", { acme: "" }, /packages\.acme must be the name of a package/],
  ])("%s, whatever the URL", async (_, given, message) => {
    for (const url of ["memory:", URL_WITH_PASSWORD]) {
      // @ts-expect-error as from JavaScript
      const error = await refusal(url, given);
      expect(error.message).toMatch(message);
    }
  });

  test("a user's name and password before a colon are no scheme to show", async () => {
    // `redis` in front was forgotten: what looks like a scheme is a name, and the password follows.
    const error = await refusal("user:hunter2@db.example.org");
    expect(error.message).not.toMatch(/hunter2|db\.example/);
  });

  test("a package that exports no fromUrl", async () => {
    runAs(application({ "@acme/sessions-driver": { code: "export const from = 1" } }), "its folder");
    const error = await refusal(URL_WITH_PASSWORD);
    expect(error.message).toMatch(/@acme\/sessions-driver.*fromUrl/);
  });

  test("a package that exports something else of that name", async () => {
    runAs(application({ "@acme/sessions-driver": { code: "export const fromUrl = 'x'" } }), "its folder");
    expect((await refusal(URL_WITH_PASSWORD)).message).toMatch(/@acme\/sessions-driver.*fromUrl/);
  });

  test("what an installed package throws when it is loaded is not taken for its absence", async () => {
    runAs(
      application({ "@acme/sessions-driver": { code: "throw new Error('broken inside')" } }),
      "its folder",
    );
    const error = await thrownBy(() => driverFromUrl(URL_WITH_PASSWORD, packages));
    expect(inspect(error)).toMatch(/broken inside/);
    expect(error.message).not.toMatch(/install/);
  });

  test("nor is what it imports in vain", async () => {
    runAs(application({ "@acme/sessions-driver": { code: "import 'no-such-client'" } }), "its folder");
    const error = await thrownBy(() => driverFromUrl(URL_WITH_PASSWORD, packages));
    expect(inspect(error)).toMatch(/no-such-client/);
    expect(error.message).not.toMatch(/install @acme/);
  });
});

describe("a scheme that nothing names has a package of its name", () => {
  const PLAIN = "sessions-driver-acme";
  const SCOPED = "@acme/sessions-driver-acme";
  const code = (where: string) => ({ code: opens(where) });
  /** An application with these packages, whose package.json names these dependencies. */
  function applicationWith(
    installed: Parameters<typeof application>[0],
    dependencies: string[] = [],
  ): string {
    const folder = application(installed);
    const named = Object.fromEntries(dependencies.map((name) => [name, "*"]));
    writeFileSync(join(folder, "package.json"), JSON.stringify({ dependencies: named }));
    return folder;
  }
  const open = () => driverFromUrl("acme://user:hunter2@x");
  async function refused(): Promise<string> {
    const error = await thrownBy(open);
    expect(error).toBeInstanceOf(SessionConfigError);
    expect(inspect(error, { depth: 20, showHidden: true })).not.toMatch(/hunter2/);
    return error.message;
  }

  test.each(["its folder", "elsewhere"] as const)("beside the program that runs from %s", async (from) => {
    runAs(applicationWith({ [PLAIN]: code("plain") }), from);
    expect(await open()).toMatchObject({ from: "plain", url: "acme://user:hunter2@x", rest: [] });
  });

  test("in a scope, if the nearest package.json of the program names it", async () => {
    const folder = applicationWith({ [SCOPED]: code("scoped") }, [
      "other",
      SCOPED,
      "@acme/sessions-driver-other",
    ]);
    mkdirSync(join(folder, "dist"));
    process.argv[1] = join(folder, "dist", "app.js");
    process.chdir(root);
    expect(await open()).toMatchObject({ from: "scoped" });
  });

  test("in a scope, not if it is only installed", async () => {
    runAs(applicationWith({ [SCOPED]: code("scoped") }, ["@acme/sessions-driver-other"]), "its folder");
    const message = await refused();
    expect(message).toMatch(/No driver is known for acme:; known are memory:/);
    // How to add one.
    expect(message).toMatch(
      /install sessions-driver-acme,.*@scope\/sessions-driver-acme.*package\.json.*\{ "acme": /,
    );
  });

  test("in a scope, named and not installed: the error says how to install it", async () => {
    vi.stubEnv("npm_config_user_agent", "npm/10");
    runAs(applicationWith({}, [SCOPED]), "elsewhere");
    expect(await refused()).toMatch(/run "npm install @acme\/sessions-driver-acme"/);
  });

  test("two that fit are an error that names both", async () => {
    const both = { [PLAIN]: code("plain"), [SCOPED]: code("scoped") };
    runAs(applicationWith(both, [SCOPED]), "its folder");
    expect(await refused()).toMatch(/two packages fit, sessions-driver-acme and @acme\/sessions-driver-acme/);
    runAs(
      applicationWith({ "@a/sessions-driver-acme": code("a"), "@b/sessions-driver-acme": code("b") }, [
        "@a/sessions-driver-acme",
        "@b/sessions-driver-acme",
      ]),
      "its folder",
    );
    expect(await refused()).toMatch(/@a\/sessions-driver-acme and @b\/sessions-driver-acme/);
    runAs(applicationWith(both, [SCOPED]), "its folder");
    expect(await driverFromUrl("acme://x", { acme: SCOPED })).toMatchObject({ from: "scoped" });
  });

  test.each([
    ["a program elsewhere", (): string => join(root, "other.js")],
    ["no program", (): undefined => undefined],
  ])("in the current folder, for %s", async (_, program) => {
    for (const folder of [
      applicationWith({ [PLAIN]: code("folder") }),
      applicationWith({ [SCOPED]: code("folder") }, [SCOPED]),
    ]) {
      process.chdir(folder);
      // @ts-expect-error as under `node --eval`
      process.argv[1] = program();
      expect(await open()).toMatchObject({ from: "folder" });
    }
  });

  test("what the current folder holds never takes the place of the program's, nor makes it ambiguous", async () => {
    const planted = { code: "throw new Error('planted code ran')" };
    const evil = applicationWith(
      { [PLAIN]: planted, [SCOPED]: planted, "@b/sessions-driver-acme": planted },
      [SCOPED, "@b/sessions-driver-acme"],
    );
    for (const mine of [
      applicationWith({ [PLAIN]: code("mine") }),
      applicationWith({ [SCOPED]: code("mine") }, [SCOPED]),
    ]) {
      process.argv[1] = join(mine, "app.js");
      process.chdir(evil);
      expect(await open()).toMatchObject({ from: "mine" });
    }
  });

  test("nor of a scheme that is known: it is not looked for there", async () => {
    const planted = { code: "throw new Error('planted code ran')" };
    const names = ["sessions-driver-redis", "@acme/sessions-driver-redis"];
    process.chdir(applicationWith(Object.fromEntries(names.map((name) => [name, planted])), names));
    process.argv[1] = join(root, "other.js");
    const error = await thrownBy(() => driverFromUrl("redis://user:hunter2@x", { redis: "no-such-package" }));
    expect(error.message).toMatch(/no-such-package/);
  });

  test("one beside this package comes before the program's and the current folder's, in plain Node", () => {
    const installed = (where: string) => applicationWith({ [PLAIN]: code(where) });
    const home = join(installed("beside"), "copy");
    mkdirSync(home);
    const run = runProgram(
      join(installed("program"), "app.mjs"),
      `console.log((await driverFromUrl("acme://x")).from);`,
      { home, cwd: installed("folder") },
    );
    expect(run).toMatchObject({ stdout: "beside\n", stderr: "", status: 0 });
  }, 30_000);

  test("a package.json that is broken names nothing", async () => {
    const folder = applicationWith({ [PLAIN]: code("plain") });
    writeFileSync(join(folder, "package.json"), "{");
    runAs(folder, "elsewhere");
    expect(await open()).toMatchObject({ from: "plain" });
  });
});
