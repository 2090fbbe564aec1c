import { describe, expect, expectTypeOf, test, vi } from "vitest";
import {
  createSessionManager,
  DriverUnavailableError,
  isSessionError,
  SessionCodecError,
  SessionConfigError,
  SessionConflictError,
  SessionError,
  type SessionErrorCode,
  SessionSetupError,
  SessionTooLargeError,
} from "../src/index.ts";
import { setUp, thrownBy } from "./support.ts";

const kinds = [
  ["SessionConfigError", SessionConfigError, "ERR_SESSION_CONFIG"],
  ["SessionTooLargeError", SessionTooLargeError, "ERR_SESSION_TOO_LARGE"],
  ["SessionCodecError", SessionCodecError, "ERR_SESSION_CODEC"],
  ["SessionConflictError", SessionConflictError, "ERR_SESSION_CONFLICT"],
  ["SessionSetupError", SessionSetupError, "ERR_SESSION_SETUP"],
  ["DriverUnavailableError", DriverUnavailableError, "ERR_SESSION_UNAVAILABLE"],
] as const;

describe.each(kinds)("%s", (name, Kind, code) => {
  const cause = new Error("cause");
  const error = new Kind("what to do", { cause });

  test("has its name, code, message and cause, and is a SessionError", () => {
    expect(error).toBeInstanceOf(Kind);
    expect(error).toBeInstanceOf(SessionError);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name, code, message: "what to do", cause });
    expect(String(error)).toBe(`${name}: what to do`);
    expect(error.stack).toContain(name);
    expect(new Kind("alone").cause).toBeUndefined();
  });

  test("is known by its brand and its code", () => {
    expect(isSessionError(error)).toBe(true);
    expect(isSessionError(error, code)).toBe(true);
    for (const [, , other] of kinds) expect(isSessionError(error, other)).toBe(other === code);
  });

  test("may be tried again only where the backend was not reached", () => {
    expect(error.retryable).toBe(Kind === DriverUnavailableError);
  });

  test("keeps its cause out of JSON, which logs are made of", () => {
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({ code });
    expect(JSON.stringify(error)).not.toContain("cause");
  });
});

test.each<SessionErrorCode>(["ERR_SESSION_UNSUPPORTED", "ERR_SESSION_HEADERS_SENT"])(
  "%s is a SessionError without a class of its own",
  (code) => {
    const error = new SessionError(code, "what to do");
    expect(error).toMatchObject({ name: "SessionError", code, retryable: false });
    expect(isSessionError(error, code)).toBe(true);
  },
);

test("an application's subclass has its own name and is known too", () => {
  class QuotaError extends SessionTooLargeError {}
  const error = new QuotaError("less");
  expect(error.name).toBe("QuotaError");
  expect(isSessionError(error, "ERR_SESSION_TOO_LARGE")).toBe(true);
});

test("errors of another copy of this package are known", async () => {
  vi.resetModules();
  const other = await import("../src/index.ts");
  expect(other.SessionError).not.toBe(SessionError);
  const error = new other.DriverUnavailableError("down");
  expect(error).not.toBeInstanceOf(SessionError);
  expect(isSessionError(error)).toBe(true);
  expect(isSessionError(error, "ERR_SESSION_UNAVAILABLE")).toBe(true);
  expect(isSessionError(error, "ERR_SESSION_CONFIG")).toBe(false);
  expect(other.isSessionError(new SessionConfigError("x"), "ERR_SESSION_CONFIG")).toBe(true);
});

test.each([
  ["an error", new Error("x")],
  ["an error with a code like ours", Object.assign(new Error("x"), { code: "ERR_SESSION_CONFIG" })],
  ["an object that looks like one", { name: "SessionError", code: "ERR_SESSION_CONFIG", retryable: true }],
  ["text", "ERR_SESSION_CONFIG"],
  ["nothing", undefined],
  ["null", null],
  ["a number", 7],
])("%s is none of ours", (_, thing) => {
  expect(isSessionError(thing)).toBe(false);
  expect(isSessionError(thing, "ERR_SESSION_CONFIG")).toBe(false);
});

test("a driver's error reaches the caller as it is", async () => {
  const down = new DriverUnavailableError("down", { cause: new Error("ECONNREFUSED") });
  const { sessions, driver } = setUp();
  const { token = "" } = await sessions.create().commit();
  const fail = (): Promise<never> => Promise.reject(down);
  const { driver: spy } = setUp();
  const unreachable = createSessionManager({ driver: { ...spy, load: fail, create: fail } });
  expect(await thrownBy(() => unreachable.open(`sid=${token}`))).toBe(down);
  expect(await thrownBy(() => unreachable.load(token))).toBe(down);
  expect(await thrownBy(() => unreachable.create().commit())).toBe(down);
  expect(await driver.records()).toHaveLength(1);
});

test("a guard narrows", () => {
  const error: unknown = new SessionConfigError("x");
  if (isSessionError(error)) expectTypeOf(error).toEqualTypeOf<SessionError>();
  expectTypeOf<SessionError["code"]>().toEqualTypeOf<SessionErrorCode>();
});
