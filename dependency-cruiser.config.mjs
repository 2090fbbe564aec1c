import { rooms as documented } from "./tools/draw-rooms.mjs";

/**
 * The rooms of packages/core/src, lowest first, as docs/architecture.md lists them. A file imports from its own room and
 * from those below it, so that a reader of a room needs nothing of the rooms above. The entries beside the rooms
 * (`index.ts`, ...) import from any.
 */
const rooms = documented()
  .map(({ name }) => name)
  .reverse();
const core = "^packages/core/src/";

const upwards = rooms.slice(0, -1).map((room, index) => ({
  name: `core: ${room} imports nothing of the rooms above it`,
  severity: "error",
  from: { path: `${core}${room}/` },
  to: { path: `${core}(?:${rooms.slice(index + 1).join("|")})/` },
}));

/** @type {import("dependency-cruiser").IConfiguration} */
export default {
  forbidden: [
    ...upwards,
    {
      name: "core: every file lies in a room, or is an entry",
      severity: "error",
      from: { path: `${core}(?!(?:${rooms.join("|")})/|(?:index|memory|driver-tools|adapter-tools)\\.ts$)` },
      to: {},
    },
    {
      name: "core: no room imports an entry",
      severity: "error",
      from: { path: `${core}[^/]+/` },
      to: { path: `${core}[^/]+\\.ts$` },
    },
    {
      name: "no circles, types included",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "packages import each other by their names",
      severity: "error",
      from: { path: "^packages/([^/]+)/src/" },
      to: { path: "^packages/", pathNot: "^packages/$1/" },
    },
  ],
  options: {
    // The packages' own sources. What they import from elsewhere, or from each other's dist, is not looked into.
    includeOnly: "^packages/[^/]+/src/",
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.base.json" },
    enhancedResolveOptions: { conditionNames: ["types", "import", "default"], exportsFields: ["exports"] },
  },
};
