import { inject } from "vitest";
import type { Service, ServiceName } from "./service.ts";

export type { Service, ServiceName } from "./service.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** In a project's configuration: which servers its tests use. */
    needs: ServiceName[];
    /** In a test: those that were found. */
    services: Partial<Record<ServiceName, Service>>;
  }
}

/** The server that the tests use, where it could be had; else skip them: the run has said so. */
export function service(name: ServiceName): Service | undefined {
  return inject("services")[name];
}
