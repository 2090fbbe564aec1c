import { Buffer } from "node:buffer";
import { connect } from "node:net";
import process from "node:process";
import { canInstall, FOUND, findProgram, install } from "./machine.ts";
import { HOST, type Server, startServer } from "./server.ts";
import type { Missing, Started } from "./service.ts";

/** The name or path of the program, if both are installed or none is on the PATH. */
const CHOSEN = process.env["SESSIONS_TEST_REDIS_SERVER"];

export function findRedis(): string | undefined {
  return findProgram(CHOSEN ? [CHOSEN] : ["redis-server", "valkey-server"]);
}

/** Starts another Redis on its own port: for clusters, replicas, and servers that are killed. */
export async function startRedisServer(args: readonly string[] = [], port?: number): Promise<Server> {
  const command = findRedis();
  if (command === undefined)
    throw new Error('No redis-server was found. Call service("redis") first, and skip the test.');
  return startServer({
    command,
    args: (free, folder) => [
      ...["--port", String(free), "--bind", HOST, "--dir", folder],
      ...["--save", "", "--appendonly", "no"],
      // The default delays a replica's first copy by five seconds.
      ...["--repl-diskless-sync-delay", "0"],
      ...args,
    ],
    ...(port !== undefined && { port }),
  });
}

/** Returns the server's name and version, or only "Redis" if it wants TLS or does not answer. */
async function askVersion(address: string): Promise<string> {
  const { hostname, port, username, password } = new URL(address);
  const socket = connect(Number(port || 6379), hostname);
  socket.setTimeout(2_000, () => socket.destroy());
  let text = "";
  try {
    const words = ["AUTH", username, password].map(decodeURIComponent).filter((word) => word !== "");
    if (password)
      socket.write(
        `*${words.length}\r\n${words.map((w) => `$${Buffer.byteLength(w)}\r\n${w}\r\n`).join("")}`,
      );
    socket.write("INFO server\r\n");
    for await (const chunk of socket) {
      text += String(chunk);
      // Every kind of server sends this after the versions.
      if (/^uptime_in_seconds:\d+\s/m.test(text)) break;
    }
  } catch {
    // The tests will report what is wrong with it.
  } finally {
    socket.destroy();
  }
  return serverName(text);
}

/** Valkey reports its own version and the version of Redis that it is compatible with. */
function serverName(info: string): string {
  const versionOf = (name: string) => new RegExp(`^${name}_version:(\\S+)`, "m").exec(info)?.[1];
  const valkey = versionOf("valkey");
  if (valkey !== undefined) return `Valkey ${valkey}`;
  return ["Redis", versionOf("redis")].filter(Boolean).join(" ");
}

const NEEDED =
  "no redis-server was found. Install one (Debian and Ubuntu: sudo apt-get install -y redis-server; macOS: " +
  "brew install redis), or name a server in SESSIONS_TEST_REDIS_URL: redis://host:port. The tests write to it.";

/** Finds the tests' Redis: at the given address, on the PATH, or in the system's package. */
export async function startRedis(address: string | undefined): Promise<Started | Missing> {
  if (address !== undefined)
    return {
      url: address,
      version: await askVersion(address),
      obtained: "SESSIONS_TEST_REDIS_URL",
      stop: async () => {},
    };
  let obtained = FOUND;
  if (findRedis() === undefined && !CHOSEN && canInstall()) {
    install("redis-server", "redis-server");
    obtained = "installed with apt-get";
  }
  if (findRedis() === undefined)
    return { missing: CHOSEN ? `${CHOSEN}, named by SESSIONS_TEST_REDIS_SERVER, was not found.` : NEEDED };
  const server = await startRedisServer();
  const url = `redis://${HOST}:${server.port}`;
  return { url, version: await askVersion(url), obtained, stop: server.stop };
}
