import * as first from "@sessions/core";
import express5 from "express";
import { expect, test, vi } from "vitest";
import { sessionMiddleware } from "../src/index.ts";
import { ask, cookieOf, createBackend, listen } from "./support.ts";

// As where a program's own core is of another version than the adapter's: two are installed.
vi.resetModules();
const second = await import("@sessions/core");

test("a session of a second copy of core is read, written, and committed when it is written to late", async () => {
  expect(second.createSessionManager).not.toBe(first.createSessionManager);
  const { driver, calls } = createBackend();
  const sessions = second.createSessionManager({ driver });
  const server = express5().use(sessionMiddleware(sessions));
  server.use((req, res) => {
    const app = req.session.store<{ n: number }>("app");
    if (req.method === "POST") app.update("n", (n = 0) => n + 1);
    res.on("finish", () => {
      if (req.url === "/late") app.update("n", (n = 0) => n + 1);
    });
    res.json(app.get("n") ?? 0);
  });
  const port = await listen(server);
  const guest = await ask(port);
  expect([guest.text, guest.cookies, calls]).toEqual(["0", [], []]);
  const headers = { cookie: cookieOf(await ask(port, { method: "POST" })) };
  calls.length = 0;
  expect((await ask(port, { headers })).text).toBe("1");
  // It is known, so that nothing waits.
  expect(calls).toEqual(["load"]);
  expect((await ask(port, { headers, method: "POST" })).text).toBe("2");
  await ask(port, { headers, path: "/late" });
  await expect.poll(async () => (await ask(port, { headers })).text).toBe("3");
});
