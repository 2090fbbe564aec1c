import { expect, test } from "vitest";
import { checkManager } from "../src/adapter-tools.ts";
import { createSessionManager, type SessionManager } from "../src/index.ts";

test("an adapter takes a manager, wrapped or not, and nothing else, and says what to pass", () => {
  const sessions = createSessionManager();
  expect(() => checkManager("f", sessions)).not.toThrow();
  expect(() => checkManager("f", new Proxy(sessions, {}))).not.toThrow();
  // What plain JavaScript passes.
  const wrong: unknown[] = [undefined, null, "sid", {}, Promise.resolve(sessions), createSessionManager];
  for (const value of wrong)
    expect(() => checkManager("f", value as SessionManager)).toThrow(
      new TypeError("f: sessions is not a session manager. Pass the result of createSessionManager()"),
    );
});
