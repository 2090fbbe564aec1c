import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll } from "vitest";
import { type Io, main } from "../../src/cli/main.ts";

/** What a run of the command in this process has printed, and its status. */
interface Run {
  status: number;
  out: string;
  err: string;
}

interface Workshop {
  folder(): string;
  /** Writes a module, and answers how the command line names it. */
  write(name: string, source: string): Promise<string>;
  run(args: readonly string[], io?: Partial<Io>): Promise<Run>;
}

/** A folder for modules under test, and the command in it. */
export function workshop(): Workshop {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "sessions-conformance-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  return {
    folder: () => folder,
    async write(name, source) {
      await writeFile(join(folder, name), source);
      return `./${name}`;
    },
    async run(args, io = {}) {
      let [out, err] = ["", ""];
      const status = await main(args, {
        out: (text) => {
          out += text;
        },
        err: (text) => {
          err += text;
        },
        colour: false,
        live: false,
        width: 100,
        cwd: folder,
        command: "npx @sessions/conformance",
        ...io,
      });
      return { status, out, err };
    },
  };
}

const here = (path: string) => JSON.stringify(fileURLToPath(new URL(path, import.meta.url)));

/** A module that exports the memory driver as a target. */
export const SOUND: string = `import { memoryTarget } from ${here("../targets.ts")};
  export default memoryTarget();`;

/** A module whose target opens the same records whatever the namespace. */
export const ONE_FOR_ALL: string = `import { memoryTarget } from ${here("../targets.ts")};
  const { open } = memoryTarget();
  export default { name: "one for all", shared: false, open: () => open("all") };`;

/** A module that exports a driver with one deliberate fault. */
export const faulty = (
  fault: string,
): string => `import { faultyDrivers } from ${here("../faulty-drivers.ts")};
  export const target = faultyDrivers.find(({ fault }) => fault === ${JSON.stringify(fault)}).target();`;
