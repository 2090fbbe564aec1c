import { type Service, type ServiceName, service } from "@sessions/test-services";
import { test } from "vitest";

/** Runs `body` with a server. Without the server, it registers one skipped test; the run has said what is missing. */
export async function withService(
  name: ServiceName,
  body: (service: Service) => void | Promise<void>,
): Promise<void> {
  const found = service(name);
  if (found) await body(found);
  else test.skip(`${name}: not found on this machine`, () => {});
}
