// The driver for tests and for sites of one process. It keeps records in the memory of the process.
export { type MemoryDriverOptions, memoryDriver } from "./driver/memory/driver.ts";
