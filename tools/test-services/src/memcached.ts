import { once } from "node:events";
import { connect } from "node:net";
import { canInstall, findProgram, install } from "./machine.ts";
import { HOST, type Server, startServer } from "./server.ts";
import type { Missing, Started } from "./service.ts";

const findMemcached = (): string | undefined => findProgram(["memcached"]);

/** Starts another Memcached on its own port: for servers that are filled or killed. */
export async function startMemcachedServer(args: readonly string[] = [], port?: number): Promise<Server> {
  const command = findMemcached();
  if (command === undefined)
    throw new Error('No memcached was found. Call service("memcached") first, and skip the test.');
  return startServer({
    command,
    // As root it asks for a user, and takes root.
    args: (free) => ["-p", String(free), "-l", HOST, "-U", "0", "-u", "root", ...args],
    ...(port !== undefined && { port }),
  });
}

async function askVersion(address: string): Promise<string> {
  const { hostname, port } = new URL(address.replace(/^[a-z]+:/i, "ws:"));
  const socket = connect(Number(port) || 11211, hostname);
  try {
    socket.write("version\r\n");
    const [line] = await once(socket, "data", { signal: AbortSignal.timeout(5_000) });
    return `Memcached ${/^VERSION (\S+)/.exec(String(line))?.[1] ?? "?"}`;
  } finally {
    socket.destroy();
  }
}

const NEEDED =
  "no memcached was found. Install it (Debian and Ubuntu: sudo apt-get install -y memcached; macOS: brew install " +
  "memcached), or name a server in SESSIONS_TEST_MEMCACHED_URL: memcached://host:port. The tests write to it.";

/** Finds the tests' Memcached: at the given address, on the PATH, or in the system's package. */
export async function startMemcached(address: string | undefined): Promise<Started | Missing> {
  if (address !== undefined)
    return {
      url: address,
      version: await askVersion(address),
      obtained: "SESSIONS_TEST_MEMCACHED_URL",
      stop: async () => {},
    };
  let obtained = "program on the PATH";
  if (findMemcached() === undefined && canInstall()) {
    install("memcached", "memcached");
    obtained = "installed with apt-get";
  }
  if (findMemcached() === undefined) return { missing: NEEDED };
  const server = await startMemcachedServer();
  const url = `memcached://${HOST}:${server.port}`;
  return { url, version: await askVersion(url), obtained, stop: server.stop };
}
