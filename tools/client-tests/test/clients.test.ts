import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Kysely } from "kysely";
import { afterAll, describe, expect, test } from "vitest";
import { clients, closeAll, type Given } from "./clients.ts";
import { refusals } from "./drivers.ts";

afterAll(closeAll);

/** The verdict that each driver must give: the client fits, or an error that names the client and holds no secret. */
function expectRight(said: Record<string, string>, { fits, name }: Omit<Given, "client">): void {
  for (const [driver, outcome] of Object.entries(said))
    if (fits.some((it) => it === driver)) expect([driver, outcome]).toEqual([driver, "fits"]);
    else {
      expect([driver, outcome]).toEqual([
        driver,
        expect.stringMatching(/^SessionConfigError: client must be .* got /),
      ]);
      expect(outcome.slice(outcome.indexOf("; got "))).toMatch(name);
      expect(outcome).not.toContain("hunter2");
    }
}

describe("each driver accepts its own clients, and names the others in its error", () => {
  test.each(clients)("%s", (_, given) => {
    expectRight(refusals(given.client), given);
  });
});

describe("a wrapped client is recognized", () => {
  test.each(clients.filter(([, { client }]) => Object(client) === client))("%s", (_, given) => {
    const { client } = given;
    // A tracing library does this: it replaces the client's functions by others with the same names.
    const traced: unknown = new Proxy(Object(client), {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        return typeof value === "function" && !Object.hasOwn(target, name) ? value.bind(target) : value;
      },
    });
    expectRight(refusals(traced), given);
    // Kysely keeps its state from such an object, which cannot be used at all.
    if (typeof client !== "function" && !(client instanceof Kysely))
      expectRight(refusals(Object.create(Object(client))), given);
  });
});

test("Bun's own clients are recognized: each driver accepts its own, and names the others", () => {
  const bun = fileURLToPath(new URL("../node_modules/.bin/bun", import.meta.url));
  const program = fileURLToPath(new URL("bun.ts", import.meta.url));
  const { stdout, stderr } = spawnSync(bun, ["--conditions=@sessions/source", program], { encoding: "utf8" });
  expect(stderr).toBe("");
  const said: Record<string, Record<string, string>> = JSON.parse(stdout);
  expect(Object.keys(said)).toEqual(["bun:sqlite", "Bun.redis", "Bun.sql", "Bun.SQL for MySQL"]);
  expectRight(said["bun:sqlite"] ?? {}, { fits: ["sqlite"], name: /bun:sqlite/ });
  expectRight(said["Bun.redis"] ?? {}, { fits: ["redis"], name: /Bun's client of Redis/ });
  expectRight(said["Bun.sql"] ?? {}, { fits: ["postgres"], name: /Bun's client of SQL/ });
  expectRight(said["Bun.SQL for MySQL"] ?? {}, { fits: ["mysql"], name: /Bun's client of SQL/ });
});
