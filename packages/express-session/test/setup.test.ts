import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Driver } from "@sessions/core";
import { fileDriver } from "@sessions/driver-file";
import type { ErrorRequestHandler } from "express";
import session from "express-session";
import { expect, onTestFinished, test } from "vitest";
import { expressSessionStore } from "../src/index.ts";
import { appOn, listen, visit } from "./support.ts";

/** A driver whose `setup()` was not called. */
async function notSetUp(): Promise<Driver> {
  const folder = await mkdtemp(join(tmpdir(), "express-session-setup-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return fileDriver({ directory: join(folder, "sessions") });
}

/** A site that counts in the session; what reaches its error page, it shows. */
async function site(driver: Driver, options = {}) {
  const app = appOn(driver, { store: expressSessionStore(driver, { Store: session.Store, ...options }) });
  app.get("/", (req, res) => {
    req.session["n"] = Number(req.session["n"] ?? 0) + 1;
    res.json(req.session["n"]);
  });
  app.get("/saved", (req, res, next) => {
    req.session["n"] = 1;
    req.session.save((error) => (error ? next(error) : res.end()));
  });
  const errorPage: ErrorRequestHandler = (error, _req, res, next) => {
    if (res.headersSent) next(error);
    else res.status(500).send(`${error.code}: ${error.message}`);
  };
  app.use(errorPage);
  return visit(await listen(app));
}

test("what the backend lacks is made at first use, for many visitors at once", async () => {
  const driver = await notSetUp();
  const visitors = await Promise.all(Array.from({ length: 8 }, () => site(driver)));
  const saved = await Promise.all(visitors.map((visitor) => visitor.get("/saved")));
  expect(saved.map(({ status }) => status)).toEqual(visitors.map(() => 200));
  expect((await visitors[0]?.get("/"))?.body).toBe("2");
});

test('with setup: "manual" what is missing is an error that names setup(), and nothing hangs', async () => {
  const driver = await notSetUp();
  const refused = {
    status: 500,
    body: expect.stringMatching(/^ERR_SESSION_SETUP: .*setup\(\)/),
  };
  expect(await (await site(driver, { setup: "manual" })).get("/saved")).toMatchObject(refused);
  // express-session sends a new visitor's page before it has saved: the error is seen from the next request on.
  const visitor = await site(driver, { setup: "manual" });
  expect(await visitor.get("/")).toMatchObject({ status: 200, body: "1" });
  expect(await visitor.get("/")).toMatchObject(refused);
});

test("setup is refused where it is neither", async () => {
  const driver = await notSetUp();
  const call = (): unknown => Reflect.apply(expressSessionStore, undefined, [driver, { setup: "never" }]);
  expect(call).toThrow(
    expect.objectContaining({ code: "ERR_SESSION_CONFIG", message: expect.stringContaining("setup") }),
  );
});
