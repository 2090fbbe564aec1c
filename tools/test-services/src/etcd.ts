import { join } from "node:path";
import getPort from "get-port";
import { canInstall, findProgram, install } from "./machine.ts";
import { HOST, startServer } from "./server.ts";
import type { Missing, Started } from "./service.ts";

const findEtcd = (): string | undefined => findProgram(["etcd"]);

async function askVersion(address: string): Promise<string> {
  const { host } = new URL(address.replace(/^[a-z]+:/i, "ws:"));
  const response = await fetch(`http://${host}/version`, { signal: AbortSignal.timeout(5_000) });
  const answer: unknown = await response.json();
  return `etcd ${Object(answer).etcdserver ?? "?"}`;
}

const NEEDED =
  "no etcd was found. Install it (Debian and Ubuntu: sudo apt-get install -y etcd-server; macOS: brew install etcd), or " +
  "name a server in SESSIONS_TEST_ETCD_URL: etcd://host:port. The tests write to it.";

/** Finds the tests' etcd: at the given address, on the PATH, or in the system's package. */
export async function startEtcd(address: string | undefined): Promise<Started | Missing> {
  if (address !== undefined)
    return {
      url: address,
      version: await askVersion(address),
      obtained: "SESSIONS_TEST_ETCD_URL",
      stop: async () => {},
    };
  let obtained = "program on the PATH";
  if (findEtcd() === undefined && canInstall()) {
    install("etcd", "etcd-server");
    obtained = "installed with apt-get";
  }
  const command = findEtcd();
  if (command === undefined) return { missing: NEEDED };
  // A second port: members of a cluster would speak to it.
  const peer = `http://${HOST}:${await getPort({ host: HOST })}`;
  const server = await startServer({
    command,
    args: (port, folder) => [
      ...["--data-dir", join(folder, "data")],
      ...["--listen-client-urls", `http://${HOST}:${port}`],
      ...["--advertise-client-urls", `http://${HOST}:${port}`],
      ...["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer],
      ...["--initial-cluster", `default=${peer}`],
    ],
    ready: /ready to serve client requests|serving insecure client requests/,
  });
  const url = `etcd://${HOST}:${server.port}`;
  return { url, version: await askVersion(url), obtained, stop: server.stop };
}
