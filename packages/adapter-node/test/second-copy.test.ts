import * as first from "@sessions/core";
import express5 from "express";
import { expect, test, vi } from "vitest";
import { sessionMiddleware } from "../src/index.ts";
import { ask, cookieOf, createBackend, listen } from "./support.ts";

// This happens if the program and the adapter need different versions of core, so that two are installed.
vi.resetModules();
const second = await import("@sessions/core");

test("a session of a second copy of core is read and written, and late writes are committed", async () => {
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
  // The adapter knows the session, so nothing waits.
  expect(calls).toEqual(["load"]);
  expect((await ask(port, { headers, method: "POST" })).text).toBe("2");
  await ask(port, { headers, path: "/late" });
  await expect.poll(async () => (await ask(port, { headers })).text).toBe("3");
});
