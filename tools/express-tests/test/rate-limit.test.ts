import { DriverUnavailableError } from "@sessions/core";
import { memoryDriver } from "@sessions/core/memory";
import session from "@sessions/express-session";
import express, { type RequestHandler } from "express";
import { ipKeyGenerator, rateLimit } from "express-rate-limit";
import { expect, it } from "vitest";
import { listen, Visitor } from "./support.ts";

declare module "express-session" {
  interface SessionData {
    user: string;
    views: number;
  }
}

async function site(options: Parameters<typeof rateLimit>[0], isDown = () => false): Promise<string> {
  const app = express();
  const inner = memoryDriver();
  const limiter = rateLimit({
    windowMs: 15 * 60 * 1000,
    standardHeaders: "draft-8",
    legacyHeaders: false,
    ...options,
  });
  app.use(
    session({
      secret: "keyboard cat",
      resave: false,
      saveUninitialized: false,
      driver: {
        ...inner,
        create: (...args) =>
          isDown() ? Promise.reject(new DriverUnavailableError("down")) : inner.create(...args),
      },
    }),
  );
  app.use(express.urlencoded({ extended: false }));
  const login: RequestHandler = (req, res) => {
    if (req.body.password === "secret") {
      req.session.user = req.body.user;
      res.send("welcome");
    } else res.status(401).send("no");
  };
  const home: RequestHandler = (req, res) => {
    req.session.views = (req.session.views ?? 0) + 1;
    res.send(`${req.session.views}`);
  };
  if (options?.skipSuccessfulRequests) app.post("/login", limiter, login);
  else {
    app.post("/login", login);
    app.get("/", limiter, home);
  }
  return listen(app);
}

it("stops a visitor, and the session keeps what it had", async () => {
  const visitor = new Visitor(await site({ limit: 2 }));
  const pages = [await visitor.get("/"), await visitor.get("/"), await visitor.get("/")];
  expect(pages.map(({ status, body }) => [status, body])).toEqual([
    [200, "1"],
    [200, "2"],
    [429, "Too many requests, please try again later."],
  ]);
  expect(pages.map(({ headers }) => headers.get("ratelimit")?.includes("r="))).toEqual([true, true, true]);
});

it("counts by the user of the session", async () => {
  const url = await site({
    limit: 1,
    keyGenerator: (req) => req.session.user ?? ipKeyGenerator(req.ip ?? ""),
  });
  const [alice, bob] = [new Visitor(url), new Visitor(url)];
  await alice.post("/login", { user: "alice", password: "secret" });
  await bob.post("/login", { user: "bob", password: "secret" });
  const statuses: number[] = [];
  for (const visitor of [alice, bob, alice]) statuses.push((await visitor.get("/")).status);
  expect(statuses).toEqual([200, 200, 429]);
});

it("counts failed logins only, and a login that could not be stored is one", async () => {
  let down = false;
  const url = await site({ limit: 2, skipSuccessfulRequests: true }, () => down);
  const log = async (password: string) =>
    (await new Visitor(url).post("/login", { user: "alice", password })).status;
  expect([await log("secret"), await log("secret"), await log("guess")]).toEqual([200, 200, 401]);
  down = true;
  expect(await log("secret")).toBe(503);
  down = false;
  expect(await log("secret")).toBe(429);
});
