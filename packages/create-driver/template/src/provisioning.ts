import type { ProvisionedDriver } from "@sessions/core";
import { notWritten } from "./not-written.ts";

/** Makes, checks and removes the objects that the driver needs in its backend: tables, indexes, folders. */
export function createProvisioning(): Pick<ProvisionedDriver, "setup" | "check" | "teardown"> {
  return {
    async setup() {
      throw notWritten("setup", "make what is missing, and keep every record when it runs again", "R12");
    },

    async check() {
      throw notWritten("check", "name each thing that is missing or wrong, in a sentence", "R12");
    },

    async teardown() {
      throw notWritten(
        "teardown",
        "remove the driver's own objects, records included, and nothing else",
        "R12",
      );
    },
  };
}
