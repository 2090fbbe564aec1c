import type { Driver } from "@sessions/core";
import { memoryDriver } from "@sessions/core/memory";
import type { Target } from "../src/index.ts";
import {
  type Line,
  outageOf,
  provisionedDriver,
  type Rows,
  remoteDriver,
  simpleDriver,
  type World,
} from "./simple-driver.ts";

/** The same namespace, the same records. */
export function memoryTarget(): Target {
  const drivers = new Map<string, Driver>();
  return {
    name: "memory",
    shared: false,
    open(namespace) {
      const driver = drivers.get(namespace) ?? memoryDriver();
      drivers.set(namespace, driver);
      return driver;
    },
  };
}

/** A target whose drivers share a backend in this process. */
export function worldTarget(
  make: (rows: Rows, namespace: string, world: World) => Driver,
  more: Partial<Target> = {},
): Target {
  const world: World = new Map();
  return {
    name: "world",
    open(namespace) {
      const rows = world.get(namespace) ?? new Map();
      world.set(namespace, rows);
      return make(rows, namespace, world);
    },
    ...more,
  };
}

export function remoteTarget(): Target {
  const line: Line = { up: true };
  return worldTarget((rows) => remoteDriver(rows, line), { outage: outageOf(line) });
}

export function provisionedTarget(): Target {
  const world: World = new Map();
  return { name: "provisioned", open: (namespace) => provisionedDriver(world, namespace) };
}

export const simpleTarget = (): Target => worldTarget((rows) => simpleDriver(() => rows));
