import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { canInstall, findProgram, install } from "./machine.ts";
import { HOST, type Server, startServer } from "./server.ts";
import type { Missing, Started } from "./service.ts";

const DATABASE = "sessions_test";

/** Where both are there, or none on the PATH: the program's name, or its path. */
const CHOSEN = process.env["SESSIONS_TEST_MYSQL_SERVER"];

function findMysql(): string | undefined {
  return findProgram(CHOSEN ? [CHOSEN] : ["mariadbd", "mysqld"]);
}

function isMariadb(command: string): boolean {
  return /mariadb/i.test(execFileSync(command, ["--version"], { encoding: "utf8" }));
}

/** MySQL does not start where the folder for files of this option, whose path is compiled in, is missing. */
const NO_FILES = "--secure-file-priv=NULL";

/** Another server of the tests' own, with options of its own: for other defaults, small limits, and faults. */
export async function startMysqlServer(args: readonly string[] = []): Promise<Server> {
  const command = findMysql();
  if (command === undefined)
    throw new Error("No mariadbd or mysqld: ask the service first, and skip the test.");
  const mariadb = isMariadb(command);
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
        execFileSync(command, ["--no-defaults", "--initialize-insecure", NO_FILES, data, ...user], {
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
      // MariaDB removes what it finds there when it starts, another server's temporary tables too.
      `--tmpdir=${folder}`,
      `--init-file=${join(folder, "init.sql")}`,
      ...["--port", String(port), `--bind-address=${HOST}`],
      ...(mariadb ? [] : ["--mysqlx=OFF", NO_FILES]),
      ...args,
    ],
    ready: /ready for connections/,
  });
}

/** For a client: root, without a password, as only this machine's loopback reaches it. */
export function mysqlUrl(server: Pick<Server, "port">): string {
  return `mysql://root@${HOST}:${server.port}/${DATABASE}`;
}

/** `MariaDB 10.11.19`, from the greeting that a server sends to whoever connects: no password is needed for it. */
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

/** For the tests' one MySQL or MariaDB: the address given, a program on the PATH, the system's package. */
export async function startMysql(address: string | undefined): Promise<Started | Missing> {
  if (address !== undefined) {
    // As another scheme: of one that it does not know, URL reads no host.
    const { hostname, port } = new URL(address.replace(/^[a-z]+:/i, "ws:"));
    const version = await greeting(hostname.replace(/^\[|\]$/g, ""), Number(port) || 3306);
    return { url: address, version, obtained: "SESSIONS_TEST_MYSQL_URL", stop: async () => {} };
  }
  let obtained = "program on the PATH";
  if (findMysql() === undefined && !CHOSEN && canInstall()) {
    install("MySQL or MariaDB", "mariadb-server");
    obtained = "installed with apt-get";
  }
  if (findMysql() === undefined)
    return { missing: CHOSEN ? `SESSIONS_TEST_MYSQL_SERVER names ${CHOSEN}, which was not found.` : NEEDED };
  const server = await startMysqlServer();
  const version = await greeting(HOST, server.port);
  return { url: mysqlUrl(server), version, obtained, stop: server.stop };
}
