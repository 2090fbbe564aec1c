import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { canInstall, FOUND, findProgram, install } from "./machine.ts";
import { newest } from "./newest.ts";
import { HOST, type Server, startServer } from "./server.ts";
import type { Missing, Started } from "./service.ts";

const DATABASE = "sessions_test";

/** The name or path of the program, if both are installed or none is on the PATH. */
const CHOSEN = process.env["SESSIONS_TEST_MYSQL_SERVER"];

function findMysql(): string | undefined {
  return findProgram(CHOSEN ? [CHOSEN] : ["mariadbd", "mysqld"]);
}

function isMariadb(command: string): boolean {
  return /mariadb/i.test(execFileSync(command, ["--version"], { encoding: "utf8" }));
}

/** Without this option, MySQL does not start if the folder for files, whose path is compiled in, is missing. */
const NO_FILES = "--secure-file-priv=NULL";

/** Starts another server with the given options: for other defaults, small limits, and faults. */
export async function startMysqlServer(args: readonly string[] = []): Promise<Server> {
  const command = findMysql();
  if (command === undefined)
    throw new Error('No mariadbd or mysqld was found. Call service("mysql") first, and skip the test.');
  const mariadb = isMariadb(command);
  // Where its messages and plugins are is compiled in, too.
  const home = newest ? [`--basedir=${newest}/usr`, `--plugin-dir=${newest}/usr/lib/mysql/plugin`] : [];
  const user = process.getuid?.() === 0 ? ["--user=root"] : [];
  return startServer({
    command,
    prepare(folder) {
      const data = `--datadir=${join(folder, "data")}`;
      if (mariadb) {
        const installer = findProgram(["mariadb-install-db", "mysql_install_db"]) ?? "mariadb-install-db";
        const how = ["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", data];
        execFileSync(installer, [...how, ...user], { stdio: "pipe" });
      } else
        execFileSync(command, ["--no-defaults", "--initialize-insecure", NO_FILES, data, ...home, ...user], {
          stdio: "pipe",
        });
      writeFileSync(join(folder, "init.sql"), `CREATE DATABASE IF NOT EXISTS ${DATABASE};\n`);
    },
    args: (port, folder) => [
      "--no-defaults",
      ...user,
      `--datadir=${join(folder, "data")}`,
      `--socket=${join(folder, "s")}`,
      `--pid-file=${join(folder, "pid")}`,
      // MariaDB empties this folder when it starts, even of another server's temporary tables.
      `--tmpdir=${folder}`,
      `--init-file=${join(folder, "init.sql")}`,
      ...["--port", String(port), `--bind-address=${HOST}`],
      ...(mariadb ? [] : ["--mysqlx=OFF", NO_FILES, ...home]),
      ...args,
    ],
    ready: /ready for connections/,
  });
}

/** The URL for a client: root, without a password, because only this machine's loopback reaches the server. */
export function mysqlUrl(server: Pick<Server, "port">): string {
  return `mysql://root@${HOST}:${server.port}/${DATABASE}`;
}

/** Returns `MariaDB 10.11.19`, from the greeting that a server sends to every client before a login. */
async function greeting(host: string, port: number): Promise<string> {
  const socket = connect(port, host);
  try {
    const [packet]: Buffer[] = await once(socket, "data", { signal: AbortSignal.timeout(5_000) });
    // Four bytes of header and one for the protocol, then the version up to a NUL.
    const version = packet?.subarray(5, packet.indexOf(0, 5)).toString("latin1") ?? "";
    const number = /\d+\.\d+\.\d+/.exec(version.replace(/^5\.5\.5-/, ""))?.[0] ?? "?";
    return `${/mariadb/i.test(version) ? "MariaDB" : "MySQL"} ${number}`;
  } finally {
    socket.destroy();
  }
}

const NEEDED =
  "no mariadbd or mysqld was found. Install one (Debian and Ubuntu: sudo apt-get install -y mariadb-server; macOS: " +
  "brew install mariadb), or name a server in SESSIONS_TEST_MYSQL_URL: mysql://user:password@host:port/database. The " +
  "tests write to it.";

/** Finds the tests' MySQL or MariaDB: at the given address, on the PATH, or in the system's package. */
export async function startMysql(address: string | undefined): Promise<Started | Missing> {
  if (address !== undefined) {
    // Use a scheme that URL knows. Of others it reads no host.
    const { hostname, port } = new URL(address.replace(/^[a-z]+:/i, "ws:"));
    const version = await greeting(hostname.replace(/^\[|\]$/g, ""), Number(port) || 3306);
    return { url: address, version, obtained: "SESSIONS_TEST_MYSQL_URL", stop: async () => {} };
  }
  let obtained = FOUND;
  if (findMysql() === undefined && !CHOSEN && canInstall()) {
    install("MySQL or MariaDB", "mariadb-server");
    obtained = "installed with apt-get";
  }
  if (findMysql() === undefined)
    return { missing: CHOSEN ? `${CHOSEN}, named by SESSIONS_TEST_MYSQL_SERVER, was not found.` : NEEDED };
  const server = await startMysqlServer();
  const version = await greeting(HOST, server.port);
  return { url: mysqlUrl(server), version, obtained, stop: server.stop };
}
