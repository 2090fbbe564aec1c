// `pnpm services [name...]`: starts the servers of the tests, for work by hand, and ends them at Ctrl-C.
import process from "node:process";
import type { ServiceName } from "./service.ts";
import { addressVariable } from "./service.ts";
import { acquire, release, serviceNames } from "./services.ts";

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !serviceNames.includes(name as ServiceName));
if (unknown.length > 0) {
  console.error(
    `Unknown service: ${unknown.join(", ")}. Name some of ${serviceNames.join(", ")}, or none to start all.`,
  );
  process.exit(1);
}
const names = asked.length > 0 ? (asked as ServiceName[]) : serviceNames;

console.log(`Starting ${names.join(", ")} ...`);
for (const name of names) {
  const service = await acquire(name);
  if (!("missing" in service))
    console.log(`${addressVariable(name)}=${service.url}   # ${service.version}, ${service.obtained}`);
}
console.log("\nCtrl-C ends the servers that were started here.");

// Keeps the process alive if the environment names every server, so that none was started here.
const alive = setInterval(() => {}, 1 << 30);
let stopping = false;
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.on(signal, () => {
    if (stopping) return;
    stopping = true;
    clearInterval(alive);
    void Promise.all(names.map(release));
  });
