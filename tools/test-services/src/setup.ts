import type { TestProject } from "vitest/node";
import type { Service, ServiceName } from "./service.ts";
import { acquire, release } from "./services.ts";

/**
 * A vitest `globalSetup` for projects that name their servers: `provide: { needs: ["redis"] }`. It starts each server once
 * per run, for all projects together, and stops it at the end.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const needs: ServiceName[] = project.config.provide?.needs ?? [];
  const services: Partial<Record<ServiceName, Service>> = {};
  await Promise.all(
    needs.map(async (name) => {
      const found = await acquire(name);
      if (!("missing" in found)) services[name] = found;
    }),
  );
  project.provide("services", services);
  return async () => {
    await Promise.all(needs.map(release));
  };
}
