import { memoryDriver } from "@sessions/core/memory";
import session from "@sessions/express-session";
import cookieParser from "cookie-parser";
import { doubleCsrf } from "csrf-csrf";
import { csrfSync } from "csrf-sync";
import express, { type Express, type RequestHandler } from "express";
import lusca from "lusca";
import { describe, expect, it } from "vitest";
import { gate, listen, Visitor } from "./support.ts";

declare module "express-session" {
  interface SessionData {
    user: string;
    report: string;
  }
}

/** How a site is protected, and where its forms find their token. */
interface Protection {
  protect(app: Express): RequestHandler;
  saveUninitialized: boolean;
}

const kinds: Record<string, Protection> = {
  "csrf-sync": {
    saveUninitialized: false,
    protect(app) {
      const { generateToken, csrfSynchronisedProtection } = csrfSync();
      app.use(csrfSynchronisedProtection);
      return (req, res) => {
        res.send(generateToken(req));
      };
    },
  },
  "csrf-csrf": {
    // Its tokens belong to a session's id, so that a visitor needs a session from the first page on.
    saveUninitialized: true,
    protect(app) {
      const { generateCsrfToken, doubleCsrfProtection } = doubleCsrf({
        getSecret: () => "a secret of its own",
        getSessionIdentifier: (req) => req.session.id,
        // As its README says for development without https.
        cookieName: "x-csrf-token",
        cookieOptions: { secure: false },
      });
      // After the session, as its README says.
      app.use(cookieParser());
      app.use(doubleCsrfProtection);
      return (req, res) => {
        res.send(generateCsrfToken(req, res));
      };
    },
  },
  lusca: {
    saveUninitialized: true,
    protect(app) {
      app.use(
        lusca({
          csrf: true,
          xframe: "SAMEORIGIN",
          hsts: { maxAge: 31_536_000, includeSubDomains: true, preload: true },
          xssProtection: true,
          nosniff: true,
          referrerPolicy: "same-origin",
        }),
      );
      return (_req, res) => {
        res.send(res.locals["_csrf"]);
      };
    },
  },
};

async function site({ protect, saveUninitialized }: Protection) {
  const app = express();
  app.use(session({ secret: "keyboard cat", resave: true, saveUninitialized, driver: memoryDriver() }));
  const slow = gate();
  // Of these pages the protection knows nothing.
  app.get("/visit", (req, res) => {
    req.session.report = "begun";
    res.end();
  });
  app.get("/report", async (req, res) => {
    await slow.pass();
    req.session.report = "made";
    res.end();
  });
  app.use(express.urlencoded({ extended: false }));
  const form = protect(app);
  app.get("/form", form);
  app.post("/order", (req, res) => {
    res.send(`ordered by ${req.session.user ?? "a guest"}`);
  });
  app.post("/login", (req, res, next) => {
    req.session.regenerate((error) => {
      if (error) {
        next(error);
        return;
      }
      req.session.user = "alice";
      res.redirect("/form");
    });
  });
  return { url: await listen(app), slow };
}

describe.each(Object.entries(kinds))("%s", (_, protection) => {
  const order = (visitor: Visitor, token?: string) =>
    visitor.post("/order", {}, token === undefined ? {} : { "x-csrf-token": token });

  it("accepts a form with the token of the session, and no other", async () => {
    const { url } = await site(protection);
    const [alice, mallory] = [new Visitor(url), new Visitor(url)];
    const token = (await alice.get("/form")).body;
    const foreign = (await mallory.get("/form")).body;
    expect((await order(alice)).status).toBe(403);
    expect((await order(alice, foreign)).status).toBe(403);
    expect((await order(alice, token)).body).toBe("ordered by a guest");
    expect((await order(alice, token)).status).toBe(200);
  });

  it("needs a new token after a login under a new id", async () => {
    const { url } = await site(protection);
    const alice = new Visitor(url);
    const old = (await alice.get("/form")).body;
    const { body: token, status } = await alice.post("/login", {}, { "x-csrf-token": old });
    expect(status).toBe(200);
    expect((await order(alice, old)).status).toBe(403);
    expect((await order(alice, token)).body).toBe("ordered by alice");
  });

  it("keeps the token of a page beside a slow request that has read the session before", async () => {
    const { url, slow } = await site(protection);
    const alice = new Visitor(url);
    await alice.get("/visit");
    const report = alice.get("/report");
    await slow.reached;
    const token = (await alice.get("/form")).body;
    slow.open();
    await report;
    expect((await order(alice, token)).status).toBe(200);
  });
});
