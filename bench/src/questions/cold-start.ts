import { execFile } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { bars } from "../charts.ts";
import { installed } from "../measure/installed.ts";
import { inTurns } from "../measure/rounds.ts";
import { show, showSpread, spread } from "../measure/statistics.ts";
import type { Figure, Question, RunOptions } from "../question.ts";

interface Contestant {
  readonly label: string;
  readonly ours: boolean;
  readonly packages: readonly string[];
  /** The backend's client, which the application has anyway. It is imported, but not counted in the size. */
  readonly client?: string;
}

const OURS = ["@sessions/core", "@sessions/adapter-node"];
const peer = (packages: readonly string[], client?: string): Contestant => ({
  ...{ label: packages.join(" + "), ours: false, packages },
  ...(client !== undefined && { client }),
});
const mine = (driver: string, client: string): Contestant => ({
  ...{ label: `sessions + ${driver}`, ours: true, packages: [...OURS, `@sessions/${driver}`], client },
});

const contestants: readonly Contestant[] = [
  peer(["express-session"]),
  { label: "sessions, in memory", ours: true, packages: OURS },
  peer(["express-session", "connect-redis"], "redis"),
  {
    ...peer(["@fastify/session", "@fastify/cookie", "connect-redis", "express-session"], "redis"),
    label: "@fastify/session + connect-redis",
  },
  mine("driver-redis", "redis"),
  peer(["express-session", "express-mysql-session"], "mysql2"),
  mine("driver-mysql", "mysql2"),
  peer(["express-session", "connect-mongo"], "mongodb"),
  mine("driver-mongodb", "mongodb"),
  peer(["express-session", "connect-dynamodb"], "@aws-sdk/client-dynamodb"),
  mine("driver-dynamodb", "@aws-sdk/client-dynamodb"),
  mine("driver-postgres", "pg"),
  peer(["iron-session"]),
  peer(["@hono/session"]),
];

const cwd = fileURLToPath(new URL("../..", import.meta.url));
const runFile = promisify(execFile);

/** Returns the milliseconds that a new process needs to import packages, one after another. */
async function importTime(names: readonly string[]): Promise<number> {
  const program = [
    "const begun = performance.now();",
    ...names.map((name) => `await import(${JSON.stringify(name)});`),
    "console.log(performance.now() - begun);",
  ].join("\n");
  // Drop this process's own arguments, so that its loader is not measured.
  const env = { ...process.env, NODE_OPTIONS: "" };
  const { stdout } = await runFile(process.execPath, ["--input-type=module", "--eval", program], {
    cwd,
    env,
  });
  return Number(stdout);
}

async function run({ quick, progress }: RunOptions) {
  progress(`importing ${contestants.length} sets of packages, in turns, each in a new process`);
  const rounds = quick ? 1 : 15;
  const alone = await inTurns(contestants, rounds, ({ packages }) => importTime(packages));
  const whole = await inTurns(
    contestants.filter(({ client }) => client !== undefined),
    rounds,
    ({ packages, client }) => importTime([...packages, client ?? ""]),
  );
  const figures: Figure[] = [];
  const rows: string[][] = [];
  for (const contestant of contestants) {
    const { label, ours, packages, client } = contestant;
    const size = installed(packages, client === undefined ? [] : [client]);
    const own = spread(alone.get(contestant) ?? []);
    const withClient = whole.get(contestant);
    const both = withClient && spread(withClient);
    figures.push({
      ...{ label, ours, client, packages: size.packages, kilobytes: Math.round(size.bytes / 1000) },
      ...{ importMs: own.median, importMsLower: own.lower, importMsUpper: own.upper },
      importWithClientMs: both?.median,
    });
    rows.push([
      ...[label, showSpread(own), both ? showSpread(both) : ""],
      ...[String(size.packages), show(size.bytes / 1000)],
    ]);
  }
  return {
    figures,
    tables: [
      {
        title: "Import time, and what is installed",
        head: ["packages", "import, ms", "with the client, ms", "packages installed", "KB installed"],
        rows,
      },
    ],
    charts: [
      bars("installed", figures, {
        title: "KB installed, without the backend's client",
        label: "label",
        value: "kilobytes",
        valueTitle: "KB",
      }),
      bars("import", figures, {
        title: "Import time in a new process, without the backend's client",
        label: "label",
        value: "importMs",
        valueTitle: "ms",
      }),
    ],
    verdicts: [],
    notes: [
      "Without the client that the application has anyway, unless a store imports it.",
      "The sizes of this library's packages are those of their tarballs.",
    ],
  };
}

export const coldStart: Question = { number: 8, title: "Cold start", run };
