import { execFileSync } from "node:child_process";
import { setTimeout } from "node:timers/promises";
import { FOUND, findProgram } from "./machine.ts";
import { postgresUrl, startPostgresServer } from "./postgres.ts";
import { HOST, startServer } from "./server.ts";
import type { Missing, Started } from "./service.ts";

/** What its PostgreSQL needs to keep documents. */
const DOCUMENTDB = [
  "shared_preload_libraries=pg_cron,pg_documentdb_core,pg_documentdb",
  "cron.database_name=postgres",
  "max_connections=300",
];

async function createExtension(psql: string, url: string): Promise<void> {
  for (let attempts = 1; ; attempts++)
    try {
      execFileSync(psql, [url, "-qc", "CREATE EXTENSION documentdb CASCADE"], { stdio: "pipe" });
      return;
    } catch (error) {
      if (attempts === 20) throw error;
      // It needs a worker of pg_cron, which starts a little after the server.
      await setTimeout(200);
    }
}

/** Starts FerretDB on a PostgreSQL with DocumentDB, both of the newest servers. */
export async function startFerretdb(): Promise<Started | Missing> {
  const [command, psql] = [findProgram(["ferretdb"]), findProgram(["psql"])];
  if (command === undefined || psql === undefined)
    return { missing: "FerretDB is not among the newest servers." };
  const postgres = await startPostgresServer(DOCUMENTDB.flatMap((setting) => ["-c", setting]));
  try {
    await createExtension(psql, postgresUrl(postgres));
    const server = await startServer({
      command,
      args: (port, folder) => [
        ...[`--postgresql-url=${postgresUrl(postgres)}`, `--listen-addr=${HOST}:${port}`, "--debug-addr=-"],
        ...["--no-auth", "--telemetry=disable", `--state-dir=${folder}`, "--log-level=WARN"],
      ],
      env: { DO_NOT_TRACK: "1" },
    });
    const version = /v(\d[\d.]*)/.exec(execFileSync(command, ["--version"], { encoding: "utf8" }))?.[1];
    return {
      url: `mongodb://${HOST}:${server.port}/`,
      version: `FerretDB ${version}`,
      obtained: FOUND,
      stop: async () => {
        await server.stop();
        await postgres.stop();
      },
    };
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}
