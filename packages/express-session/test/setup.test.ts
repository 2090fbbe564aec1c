import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Driver } from "@sessions/core";
import { fileDriver } from "@sessions/driver-file";
import type { ErrorRequestHandler } from "express";
import { expect, onTestFinished, test } from "vitest";
import { appOn, listen, visit } from "./support.ts";

/** A driver whose `setup()` was not called. */
async function notSetUp(): Promise<Driver> {
  const folder = await mkdtemp(join(tmpdir(), "express-session-setup-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return fileDriver({ directory: join(folder, "sessions") });
}

/** A site that counts in the session; what reaches its error page, it shows. */
async function site(driver: Driver) {
  const app = appOn(driver);
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

test("what setup() has not made is an error that names it, and nothing hangs", async () => {
  const driver = await notSetUp();
  const refused = {
    status: 500,
    body: expect.stringMatching(/^ERR_SESSION_SETUP: .*setup\(\)/),
  };
  expect(await (await site(driver)).get("/saved")).toMatchObject(refused);
  // express-session sends a new visitor's page before it has saved: the error is seen from the next request on.
  const visitor = await site(driver);
  expect(await visitor.get("/")).toMatchObject({ status: 200, body: "1" });
  expect(await visitor.get("/")).toMatchObject(refused);
});
