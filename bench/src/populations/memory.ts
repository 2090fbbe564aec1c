import { memoryDriver } from "@sessions/core/memory";
import { addOneByOne, type PopulationBackend } from "../population.ts";

export const memory: PopulationBackend = {
  name: "memory",
  async open() {
    const driver = memoryDriver({ maxSessions: 10_000_000 });
    return {
      driver,
      add: (template, added) => addOneByOne(driver, template, added),
      close: async () => {},
    };
  },
};
