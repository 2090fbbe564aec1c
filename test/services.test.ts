import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import process from "node:process";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";

afterEach(() => vi.unstubAllEnvs());

/** Names a server for the tests that says of itself no more than its version. */
async function nameServer(version: string): Promise<string> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end(`redis_version:${version}\r\nuptime_in_seconds:1\r\n`));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  assert(typeof address === "object" && address);
  const url = `redis://127.0.0.1:${address.port}`;
  vi.stubEnv("SESSIONS_TEST_REDIS_URL", url);
  // What is found is kept for the process.
  Reflect.set(globalThis, Symbol.for("@sessions/test-services/registry"), undefined);
  vi.resetModules();
  return url;
}

const found = async (): Promise<unknown> => {
  const services = await import("@sessions/test-services/services");
  return services.acquire("redis");
};

test("a server of the required version is taken", async () => {
  const url = await nameServer("7.4.1");
  vi.stubEnv("SESSIONS_TEST_REDIS_VERSION", "Redis 7");
  expect(await found()).toMatchObject({ url, version: "Redis 7.4.1" });
});

test.each(["Redis 7", "Redis 70", "Valkey 72"])(
  "a server of another version is an error: 72.0.0 for %s",
  async (wanted) => {
    await nameServer("72.0.0");
    vi.stubEnv("SESSIONS_TEST_REDIS_VERSION", wanted);
    await expect(found()).rejects.toThrow(
      `SESSIONS_TEST_REDIS_VERSION asks for ${wanted}, but Redis 72.0.0 was found`,
    );
  },
);

test("on CI, a server that the project does not name is an error", async () => {
  vi.stubEnv("CI", "true");
  vi.doMock("vitest", () => ({ inject: () => ({}) }));
  onTestFinished(() => void vi.doUnmock("vitest"));
  vi.resetModules();
  const { service } = await import("@sessions/test-services");
  expect(() => service("redis")).toThrow("The tests of redis must run on CI: name it");
});

test("on CI, a missing sqld is an error that says what is missing; elsewhere its tests are skipped", async () => {
  const platform = Object.getOwnPropertyDescriptor(process, "platform") ?? {};
  onTestFinished(() => void Object.defineProperty(process, "platform", platform));
  Object.defineProperty(process, "platform", { ...platform, value: "sunos" });
  vi.stubEnv("PATH", "");
  const start = async (ci: string) => {
    vi.stubEnv("CI", ci);
    vi.resetModules();
    const { startSqld } = await import("@sessions/test-services/sqld");
    return startSqld();
  };
  await expect(start("true")).rejects.toThrow(`@sqld/sunos-${process.arch} is not installed`);
  expect(await start("")).toBeUndefined();
});
