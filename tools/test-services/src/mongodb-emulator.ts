import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { canInstall, findProgram, install } from "./machine.ts";
import { HOST, startServer } from "./server.ts";
import type { Missing, Started } from "./service.ts";

const SOURCE = fileURLToPath(new URL("./mongodb-emulator/", import.meta.url));
/** Caches results that are slow to find out or to build. */
export const CACHE: string = fileURLToPath(new URL("../node_modules/.cache/mongodb/", import.meta.url));
const VERSION = /mongo-java-server<\/artifactId>\s*<version>([\d.]+)/;

const TOOLS = ["java", "javac", "mvn"];
const lacking = (): string[] => TOOLS.filter((tool) => findProgram([tool]) === undefined);

function run(tool: string, args: readonly string[]): void {
  const command = findProgram([tool]) ?? tool;
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: "utf8", timeout: 300_000 });
  if (status !== 0)
    throw new Error(`${tool} failed: ${error?.message ?? (stderr + stdout).trim().slice(0, 500)}`);
}

/** Fetches the libraries and compiles the launcher, once for each version of their sources. Returns their folder. */
function build(): string {
  const sources = ["pom.xml", "Emulator.java"];
  const hash = createHash("sha256");
  for (const name of sources) hash.update(readFileSync(join(SOURCE, name)));
  const folder = join(CACHE, `emulator-${hash.digest("hex").slice(0, 16)}`);
  if (existsSync(folder)) return folder;
  mkdirSync(CACHE, { recursive: true });
  const draft = mkdtempSync(join(CACHE, "draft-"));
  try {
    for (const name of sources) cpSync(join(SOURCE, name), join(draft, name));
    const pom = join(draft, "pom.xml");
    run("mvn", ["-q", "-B", "-f", pom, "dependency:copy-dependencies", `-DoutputDirectory=${draft}/lib`]);
    run("javac", ["-cp", join(draft, "lib", "*"), "-d", draft, join(draft, "Emulator.java")]);
    // Move it in one step, because two runs may build at the same time. The first to end is kept.
    if (!existsSync(folder)) renameSync(draft, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return folder;
}

/** Starts mongo-java-server, from Maven's repository, on its own port. */
export async function startMongodbEmulator(): Promise<Started | Missing> {
  if (lacking().length > 0 && canInstall())
    install("Java compiler and Maven", "openjdk-17-jdk-headless", "maven");
  if (lacking().length > 0) return { missing: `no mongod was found, and no ${lacking().join(", no ")}` };
  let folder: string;
  try {
    folder = build();
  } catch (error) {
    return {
      missing: `no mongod was found, and an emulator could not be built (${error instanceof Error ? error.message : error})`,
    };
  }
  const { port, stop } = await startServer({
    command: findProgram(["java"]) ?? "java",
    args: (free) => [
      ...["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m"],
      ...["-cp", `${folder}${delimiter}${join(folder, "lib", "*")}`, "Emulator", String(free)],
    ],
    ready: /^ready$/m,
  });
  return {
    url: `mongodb://${HOST}:${port}`,
    version: `mongo-java-server ${VERSION.exec(readFileSync(join(SOURCE, "pom.xml"), "utf8"))?.[1] ?? "?"}`,
    obtained: "built with Maven",
    emulator: true,
    stop,
  };
}
