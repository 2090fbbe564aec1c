import { memoryDriver } from "@sessions/core/memory";
import { type Backend, FILLER, rows } from "../backend.ts";

export const memory: Backend = {
  name: "memory",
  async open() {
    const records = rows.map(() => new Map([["filler/x", FILLER]]));
    return {
      driver: memoryDriver(),
      bare: {
        load: async (row) => new Map(records[row]),
        commit: async (row, text) => records[row]?.set("a/x", text),
      },
      close: async () => {},
    };
  },
};
