import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const wanted = process.env["SESSIONS_TEST_SERVERS"] || undefined;
if (wanted !== undefined && wanted !== "newest")
  throw new Error(`SESSIONS_TEST_SERVERS is "newest" or nothing; got ${JSON.stringify(wanted)}`);

const SCRIPT = fileURLToPath(new URL("./newest-servers.sh", import.meta.url));
const hash = createHash("sha256").update(readFileSync(SCRIPT)).digest("hex").slice(0, 12);
// The user nobody runs PostgreSQL there, so it is in no folder of root's own.
const FOLDER = `/var/cache/sessions-test-servers/${hash}`;

/** The folder of the newest servers, unpacked, if this run is to use them: `SESSIONS_TEST_SERVERS=newest`. */
export const newest: string | undefined = wanted && FOLDER;

/** Fetches the newest servers, once. Throws an error that says in a sentence what is missing. */
export function fetchNewest(): void {
  if (existsSync(join(FOLDER, "complete"))) return;
  console.log(`Fetching the newest servers into ${FOLDER}: this takes one to two minutes`);
  const { status, stderr, error } = spawnSync("bash", [SCRIPT, FOLDER], { encoding: "utf8" });
  if (status !== 0) throw new Error(error?.message ?? stderr.trim());
}
