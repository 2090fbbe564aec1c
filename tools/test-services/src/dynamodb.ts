import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { canInstall, findProgram, install } from "./machine.ts";
import { HOST, type Server, startServer } from "./server.ts";
import type { Missing, Started } from "./service.ts";

// AWS's own DynamoDB Local. Only the jar of this package is used.
const PACKAGE = "amplify-dynamodb-simulator";

const findJava = (): string | undefined => findProgram(["java"]);

function findEmulator(): string | undefined {
  try {
    const manifest = createRequire(import.meta.url).resolve(`${PACKAGE}/package.json`);
    return join(dirname(manifest), "emulator");
  } catch {
    return undefined;
  }
}

function jarArguments(folder: string): string[] {
  return [
    `-Djava.library.path=${join(folder, "DynamoDBLocal_lib")}`,
    "-jar",
    join(folder, "DynamoDBLocal.jar"),
  ];
}

/** Starts another DynamoDB Local, in memory. It listens on every interface, and has no option to change that. */
async function startDynamodbServer(args: readonly string[] = []): Promise<Server> {
  const [command, folder] = [findJava(), findEmulator()];
  if (command === undefined || folder === undefined)
    throw new Error('No DynamoDB Local was found. Call service("dynamodb") first, and skip the test.');
  return startServer({
    command,
    args: (port, temporary) => [
      ...["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx768m", `-Djava.io.tmpdir=${temporary}`],
      ...jarArguments(folder),
      // One database for all regions and keys.
      ...["-inMemory", "-sharedDb", "-disableTelemetry", "-port", String(port)],
      ...args,
    ],
  });
}

const NEEDED =
  "no Java was found to run DynamoDB Local. Install one (Debian and Ubuntu: sudo apt-get install -y " +
  "openjdk-17-jre-headless), or name a server in SESSIONS_TEST_DYNAMODB_URL: http://host:port. The tests write to it.";

/** Finds the tests' DynamoDB: at the given address, with a Java on the PATH, or with the system's package. */
export async function startDynamodb(address: string | undefined): Promise<Started | Missing> {
  if (address !== undefined)
    return {
      url: address.replace(/^https?:/, "dynamodb:").replace(/\/+$/, ""),
      version: "DynamoDB",
      obtained: "SESSIONS_TEST_DYNAMODB_URL",
      stop: async () => {},
    };
  let obtained = `jar of ${PACKAGE}`;
  const folder = findEmulator();
  if (folder === undefined) return { missing: `the package ${PACKAGE} is not installed: run pnpm install.` };
  if (findJava() === undefined && canInstall()) {
    install("Java", "openjdk-17-jre-headless");
    obtained += ", Java installed with apt-get";
  }
  const command = findJava();
  if (command === undefined) return { missing: NEEDED };
  const server = await startDynamodbServer();
  const version = execFileSync(command, [...jarArguments(folder), "-version"], { encoding: "utf8" }).trim();
  return {
    url: `dynamodb://${HOST}:${server.port}`,
    version: `DynamoDB Local ${version}`,
    obtained,
    // AWS's own program, but not the service: it does not throttle, and its indexes never lag.
    emulator: true,
    stop: server.stop,
  };
}
