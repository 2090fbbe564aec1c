/** The driver for tests and for sites of one process: records in this process's memory. */
export { type MemoryDriverOptions, memoryDriver } from "./driver/memory/driver.ts";
