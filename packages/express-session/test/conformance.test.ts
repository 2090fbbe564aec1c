import { testDriver } from "@sessions/conformance";
import session from "express-session";
import { describe, test } from "vitest";
import { fromExpressSessionStore } from "../src/index.ts";
import { oneStoreEach } from "./kit.ts";

describe("express-session's MemoryStore", () => {
  const storeOf = oneStoreEach(() => new session.MemoryStore());
  testDriver({
    test,
    target: { name: "MemoryStore", open: (namespace) => fromExpressSessionStore(storeOf(namespace)) },
  });
});
