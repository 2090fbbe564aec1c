import { open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { fileDriver } from "@sessions/driver-file";
import { type Backend, FILLER, rows } from "../backend.ts";

export const file: Backend = {
  name: "file",
  async open(folder) {
    const driver = fileDriver({ directory: join(folder, "sessions") });
    await driver.setup();
    const path = (row: number): string => join(folder, `${row}.json`);
    let writes = 0;
    async function write(row: number, text: string): Promise<void> {
      const temporary = `${path(row)}.${writes++}`;
      const handle = await open(temporary, "w");
      await handle.writeFile(JSON.stringify({ filler: FILLER, a: text }));
      await handle.sync();
      await handle.close();
      await rename(temporary, path(row));
    }
    await Promise.all(rows.map((row) => write(row, "")));
    return {
      driver,
      bare: { load: async (row) => JSON.parse(await readFile(path(row), "utf8")), commit: write },
      close: async () => {},
    };
  },
};
