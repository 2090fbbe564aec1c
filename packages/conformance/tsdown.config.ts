import { defineConfig } from "tsdown";

export default defineConfig({
  entry: ["src/index.ts", "src/cli.ts", "src/proxy.ts"],
  platform: "node",
  target: "node20.19",
  dts: true,
  // The clauses' own words, for whoever has the package and not the repository.
  copy: ["../../SPEC.md"],
  fixedExtension: false,
});
