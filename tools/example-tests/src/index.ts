/** The test that is the same for every example of a framework, and what it needs to start one. */
export { freePort } from "./free-port.ts";
export { type Program, type ProgramOptions, startProgram } from "./program.ts";
export { startSource } from "./source.ts";
export { testEnding } from "./test-ending.ts";
export { type ExampleOptions, type TestFunction, testExample } from "./test-example.ts";
