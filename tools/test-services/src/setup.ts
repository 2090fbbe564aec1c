import type { TestProject } from "vitest/node";
import type { Service, ServiceName } from "./service.ts";
import { acquire, release } from "./services.ts";

/**
 * A vitest `globalSetup` for projects that name the servers they use: `provide: { needs: ["redis"] }`. It starts each
 * of them once per run, whatever the number of projects, and stops what it started.
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
