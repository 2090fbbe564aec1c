import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { UsageError } from "./arguments.ts";
import { messageOf, plain } from "./plain.ts";

/** Creates the folder of `--out` before the run, so that the result of a long run is not lost. */
export async function makeFolder(folder: string, cwd: string): Promise<void> {
  try {
    await mkdir(resolve(cwd, folder), { recursive: true });
  } catch (error) {
    throw new UsageError(`--out: the folder ${folder} cannot be created. ${plain(messageOf(error))}`);
  }
}

/** Writes `conformance.svg` and `conformance.md` into the folder of `--out`. */
export async function writeFiles(folder: string, cwd: string, svg: string, table: string): Promise<void> {
  try {
    await writeFile(join(resolve(cwd, folder), "conformance.svg"), svg);
    await writeFile(join(resolve(cwd, folder), "conformance.md"), table);
  } catch (error) {
    throw new UsageError(`--out: cannot write into the folder ${folder}. ${plain(messageOf(error))}`);
  }
}
