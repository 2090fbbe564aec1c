import { describe, test } from "vitest";
import { testDriver } from "../src/index.ts";
import { type Backend, distantBackend, distantDriver } from "./distant-driver.ts";
import { type Line, outageOf } from "./simple-driver.ts";

describe("a compare-and-set driver 20 ms away from its backend passes in the time that runners allow", () => {
  const line: Line = { up: true };
  const backends = new Map<string, Backend>();
  testDriver({
    test,
    target: {
      name: "distant",
      open(namespace, about) {
        const backend = backends.get(namespace) ?? distantBackend(20, line);
        backends.set(namespace, backend);
        return distantDriver(backend, about?.outage ? 200 : 2_000);
      },
      outage: outageOf(line),
    },
  });
});
