// The tests of one package, read with one mutant in the place of a source file: see mutate.mjs.
import { readFileSync } from "node:fs";
import process from "node:process";
import type { ViteUserConfig } from "vitest/config";
import { project } from "../vitest.base.ts";

const { MUTANT_FILE: file = "", MUTANT_TEXT: text = "" } = process.env;

const config: ViteUserConfig = {
  ...project("mutant"),
  plugins: [
    {
      name: "mutant",
      enforce: "pre",
      load: (id) => (file !== "" && id.split("?")[0] === file ? readFileSync(text, "utf8") : null),
    },
  ],
};

export default config;
