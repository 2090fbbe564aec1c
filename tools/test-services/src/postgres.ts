import { execFileSync } from "node:child_process";
import { chownSync, existsSync, readdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { canInstall, FOUND, findProgram, install } from "./machine.ts";
import { newest } from "./newest.ts";
import { HOST, type Server, startServer } from "./server.ts";
import type { Missing, Started } from "./service.ts";

/** Debian keeps the server's programs in folders that no PATH has. */
const DEBIAN = "/usr/lib/postgresql";

interface Programs {
  postgres: string;
  initdb: string;
  backup: string;
}

function findPostgres(): Programs | undefined {
  const versions =
    existsSync(DEBIAN) && !newest ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  const folder = versions
    .map((version) => join(DEBIAN, version, "bin"))
    .find((bin) => existsSync(join(bin, "initdb")));
  const [postgres, initdb, backup] = ["postgres", "initdb", "pg_basebackup"].map((name) =>
    folder ? join(folder, name) : findProgram([name]),
  );
  return postgres && initdb && backup ? { postgres, initdb, backup } : undefined;
}

/** PostgreSQL refuses to run as root, so root starts it as the user nobody. */
export function asNobody(): { command: string[]; own(folder: string): void } {
  if (process.getuid?.() !== 0) return { command: [], own: () => {} };
  const [uid = 0, gid = 0] = ["-u", "-g"].map((flag) => Number(execFileSync("id", [flag, "nobody"])));
  return {
    command: ["setpriv", "--pdeathsig", "KILL", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups"],
    own: (folder) => chownSync(folder, uid, gid),
  };
}

/** Starts another server with the given settings: `["-c", "default_transaction_isolation=serializable"]`. */
export async function startPostgresServer(args: readonly string[] = []): Promise<Server> {
  return start(args, ({ initdb }, data) => [
    initdb,
    ...["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync", "-D", data],
  ]);
}

/** Starts a standby with a copy of the primary. `line` is the port by which it follows: another one for a proxy. */
export async function startPostgresStandby(
  primary: Pick<Server, "port">,
  line: Pick<Server, "port">,
  args: readonly string[] = [],
): Promise<Server> {
  const follow = `primary_conninfo=host=${HOST} port=${line.port} user=postgres`;
  return start(["-c", follow, ...args], ({ backup }, data) => [
    backup,
    ...["--host", HOST, "--port", String(primary.port), "--username=postgres", "--checkpoint=fast"],
    ...["--write-recovery-conf", "--no-sync", "--pgdata", data],
  ]);
}

/** @param fill Returns the command that fills the new server's folder of data. */
async function start(
  args: readonly string[],
  fill: (programs: Programs, data: string) => string[],
): Promise<Server> {
  const found = findPostgres();
  if (!found) throw new Error('No PostgreSQL was found. Call service("postgres") first, and skip the test.');
  const { command, own } = asNobody();
  const [program = found.postgres, ...before] = [...command, found.postgres];
  const server = await startServer({
    command: program,
    prepare(folder) {
      own(folder);
      const [first = "", ...rest] = [...command, ...fill(found, join(folder, "data"))];
      execFileSync(first, rest, { stdio: "pipe", cwd: folder });
    },
    args: (port, folder) => [
      ...[...before, "-D", join(folder, "data"), "-k", folder, "-h", HOST, "-p", String(port)],
      ...args,
    ],
    ready: /ready to accept (read-only )?connections/,
  });
  // The default signal waits until all clients have disconnected.
  return { ...server, stop: (signal = "SIGINT") => server.stop(signal) };
}

/** The URL for a client: the superuser, without a password, because only this machine's loopback reaches the server. */
export function postgresUrl(server: Pick<Server, "port">): string {
  return `postgres://postgres@${HOST}:${server.port}/postgres`;
}

const NEEDED =
  "no PostgreSQL server was found. Install one (Debian and Ubuntu: sudo apt-get install -y postgresql; macOS: brew " +
  "install postgresql), or name one in SESSIONS_TEST_POSTGRES_URL: postgres://user:password@host:port/database. The " +
  "tests write to it.";

/** Whether the address takes connections. The tests find out what it is. */
async function reaches(address: string): Promise<boolean> {
  const { hostname, port } = new URL(address.replace(/^[a-z]+:/i, "ws:"));
  const socket = connect(Number(port) || 5432, hostname);
  return new Promise((resolve) => {
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
  }).then((answer) => {
    socket.destroy();
    return answer === true;
  });
}

/** Finds the tests' PostgreSQL: at the given address, a program of the system, or the system's package. */
export async function startPostgres(address: string | undefined): Promise<Started | Missing> {
  if (address !== undefined)
    return (await reaches(address))
      ? {
          url: address,
          version: "PostgreSQL",
          obtained: "SESSIONS_TEST_POSTGRES_URL",
          stop: async () => {},
        }
      : {
          missing:
            "nothing takes connections at the address in SESSIONS_TEST_POSTGRES_URL. Start the server, or correct the address.",
        };
  let obtained = FOUND;
  if (!findPostgres() && canInstall()) {
    install("PostgreSQL", "postgresql");
    obtained = "installed with apt-get";
  }
  const found = findPostgres();
  if (!found) return { missing: NEEDED };
  const server = await startPostgresServer();
  const version = /\d+(\.\d+)*/.exec(execFileSync(found.postgres, ["--version"], { encoding: "utf8" }))?.[0];
  return { url: postgresUrl(server), version: `PostgreSQL ${version}`, obtained, stop: () => server.stop() };
}
