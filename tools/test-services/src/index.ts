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

/** Returns the server for the tests, or `undefined`: then skip them. The run has already said so. */
export function service(name: ServiceName): Service | undefined {
  return inject("services")[name];
}
