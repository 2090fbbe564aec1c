import process from "node:process";
import { inject } from "vitest";
import type { Service, ServiceName } from "./service.ts";

export type { Service, ServiceName } from "./service.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** In a project's configuration: the servers that its tests use. */
    needs: ServiceName[];
    /** In a test: the servers that were found. */
    services: Partial<Record<ServiceName, Service>>;
  }
}

/**
 * Returns the server for the tests, or `undefined`: then skip them. The run has already said so. On CI it is an error: a
 * missing server has failed the run, so the project does not name this one.
 */
export function service(name: ServiceName): Service | undefined {
  const found = inject("services")[name];
  if (found === undefined && process.env["CI"] === "true")
    throw new Error(
      `The tests of ${name} must run on CI: name it in the project's provide: { needs: [...] }`,
    );
  return found;
}
