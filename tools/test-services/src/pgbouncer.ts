import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { canInstall, findProgram, install, onCI } from "./machine.ts";
import { asNobody } from "./postgres.ts";
import { HOST, type Server, startServer } from "./server.ts";

/**
 * Starts a PgBouncer in transaction mode in front of a PostgreSQL. It has fewer connections to the server than clients
 * have to it, so statements of one client go to several server processes. Returns `undefined` if the program is missing.
 */
export async function startPgbouncer(target: string): Promise<Server | undefined> {
  const names = ["pgbouncer"];
  if (findProgram(names) === undefined && canInstall()) install("PgBouncer", "pgbouncer");
  const program = findProgram(names);
  if (program === undefined) {
    if (onCI) throw new Error("The tests behind PgBouncer must run on CI, but no pgbouncer was found");
    return undefined;
  }
  const { hostname, port, username, pathname } = new URL(target.replace(/^[a-z]+:/i, "ws:"));
  const { command, own } = asNobody();
  const [first = program, ...before] = [...command, program];
  return startServer({
    command: first,
    prepare(folder) {
      own(folder);
      writeFileSync(join(folder, "users"), `"${username}" ""\n`);
      const settings = [
        "[databases]",
        `${pathname.slice(1)} = host=${hostname} port=${port || 5432} user=${username}`,
        "[pgbouncer]",
        ...["pool_mode = transaction", "default_pool_size = 3", "max_client_conn = 100"],
        ...["auth_type = trust", `auth_file = ${join(folder, "users")}`, `unix_socket_dir =`],
        ...[`listen_addr = ${HOST}`, "listen_port = PORT"],
      ];
      writeFileSync(join(folder, "settings"), settings.join("\n"));
    },
    args(port, folder) {
      const file = join(folder, "settings");
      writeFileSync(file, readFileSync(file, "utf8").replace("PORT", String(port)));
      return [...before, file];
    },
  });
}
