import { afterEach, describe, expect, test, vi } from "vitest";
import type { SessionManagerOptions } from "../src/index.ts";
import { cookieFrom, spyDriver, testClock, thrownBy } from "./support.ts";

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** A manager of a process of its own, for warnings come once a process. */
async function freshManager(environment: string | undefined, options: SessionManagerOptions = {}) {
  vi.stubEnv("NODE_ENV", environment);
  vi.resetModules();
  const { createSessionManager } = await import("../src/index.ts");
  const driver = spyDriver();
  return { sessions: createSessionManager({ driver, clock: testClock(), ...options }), driver };
}

const HTTPS = { secure: true };

describe("where neither NODE_ENV nor cookie.secure says a word, a request over https is refused a new cookie", () => {
  test.each<[string, SessionManagerOptions]>([
    ["by default", {}],
    ["whatever the cookie is called", { cookie: { name: "mine" } }],
  ])("%s", async (_, options) => {
    for (const environment of [undefined, "", "staging", "Production"])
      for (const begin of ["write", "login"]) {
        const { sessions, driver } = await freshManager(environment, options);
        const session = await sessions.open(undefined, HTTPS);
        if (begin === "login") session.login("ann");
        else session.store("s").set("k", 1);
        const error = await thrownBy(() => session.commit({ seal: true }));
        expect(error).toMatchObject({ code: "ERR_SESSION_CONFIG" });
        expect(error.message).toMatch(/NODE_ENV=production.*cookie\.secure.*true.*false/);
        expect(driver.calls).toEqual([]);
        expect(await session.commit({ seal: true })).toMatchObject({
          status: "unchanged",
          setCookie: undefined,
        });
      }
  });

  test("a visitor who has one goes on, and so does a rotation; one warning says what to set", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const { sessions } = await freshManager(undefined);
    const first = await sessions.open(undefined);
    first.login("ann");
    let cookie = cookieFrom(await first.commit());
    for (let n = 1; n <= 3; n++) {
      const session = await sessions.open(cookie, HTTPS);
      session.store("s").update("n", (old) => Number(old ?? 0) + 1);
      session.rotate();
      cookie = cookieFrom(await session.commit({ seal: true }));
      expect((await sessions.open(cookie)).store("s").get("n")).toBe(n);
    }
    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]?.[0]).toMatch(/https.*NODE_ENV=production/);
  });

  test("a request over http is not", async () => {
    const { sessions } = await freshManager(undefined);
    const session = await sessions.open(undefined);
    session.login("ann");
    expect((await session.commit()).setCookie).toMatch(/^sid=(?!.*Secure)/);
  });
});

describe("with a word on it the cookie goes out", () => {
  test.each<[string | undefined, SessionManagerOptions, RegExp]>([
    ["production", {}, /^__Host-sid=.*Secure/],
    [undefined, { cookie: { secure: true } }, /^sid=.*Secure/],
    [undefined, { cookie: { secure: false } }, /^sid=(?!.*Secure)/],
    ["production", { cookie: { secure: false } }, /^sid=(?!.*Secure)/],
  ])("NODE_ENV=%s %j", async (environment, options, setCookie) => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const { sessions } = await freshManager(environment, options);
    const session = await sessions.open(undefined, HTTPS);
    session.login("ann");
    expect((await session.commit()).setCookie).toMatch(setCookie);
    expect(warn).not.toHaveBeenCalled();
  });

  test.each(["development", "test"])(
    "NODE_ENV=%s warns once where it goes over https",
    async (environment) => {
      const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
      const { sessions } = await freshManager(environment);
      for (let n = 0; n < 3; n++) {
        const session = await sessions.open(undefined, HTTPS);
        session.login("ann");
        expect((await session.commit()).setCookie).toMatch(/^sid=/);
      }
      expect(warn).toHaveBeenCalledTimes(1);
    },
  );
});
