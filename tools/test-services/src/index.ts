import { inject } from "vitest";
import type { Service, ServiceName } from "./service.ts";

export type { Service, ServiceName } from "./service.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The servers that a project's tests use. Set it in the project's configuration. */
    needs: ServiceName[];
    /** The servers that were found. Read it in a test. */
    services: Partial<Record<ServiceName, Service>>;
  }
}

/** Returns the server for the tests. If it returns `undefined`, skip them: the run has said what is missing. */
export function service(name: ServiceName): Service | undefined {
  return inject("services")[name];
}
