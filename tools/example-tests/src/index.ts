/** The tests that all examples of a framework share, and functions to start an example. */
export { freePort } from "./free-port.ts";
export { type Program, type ProgramOptions, startProgram } from "./program.ts";
export { startSource } from "./source.ts";
export { testEnding } from "./test-ending.ts";
export { type ExampleOptions, type TestFunction, testExample } from "./test-example.ts";
