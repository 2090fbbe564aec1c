import { createServer } from "node:http";
import { createRequire } from "node:module";
import { memoryDriver } from "@sessions/core/memory";
import session from "@sessions/express-session";
import express, { type Express } from "express";
import passport from "passport";
import { Strategy as OAuth2Strategy, type VerifyCallback } from "passport-oauth2";
import { describe, expect, it } from "vitest";
import { provider } from "./provider.ts";
import { gate, listen, Visitor } from "./support.ts";

declare module "express-session" {
  interface SessionData {
    report: string;
    grant: { response?: { access_token?: string; error?: unknown } };
  }
}

// Its types know no default import of a CommonJS package.
const grant: typeof import("grant").default = createRequire(import.meta.url)("grant");

const ID = "shop";
const SECRET = "secret of the shop";

/** How a site logs in with the provider. `url` is the site's own. */
type Login = (app: Express, url: string, issuer: string) => { begin: string; back: string };

const logins: Record<string, Login> = {
  "passport-oauth2"(app, url, issuer) {
    const auth = new passport.Passport();
    auth.use(
      new OAuth2Strategy(
        {
          authorizationURL: `${issuer}/authorize`,
          tokenURL: `${issuer}/token`,
          clientID: ID,
          clientSecret: SECRET,
          callbackURL: `${url}/auth/example/callback`,
          state: true,
          pkce: true,
        },
        (accessToken: string, _refreshToken: string, _profile: unknown, done: VerifyCallback) => {
          done(null, { id: accessToken, name: "alice" });
        },
      ),
    );
    auth.serializeUser((user, done) => done(null, user.id));
    auth.deserializeUser((id, done) => done(null, { id: String(id), name: "alice" }));
    app.use(auth.session());
    app.get("/auth/example", auth.authenticate("oauth2"));
    app.get(
      "/auth/example/callback",
      auth.authenticate("oauth2", { failureRedirect: "/failed" }),
      (_req, res) => {
        res.redirect("/");
      },
    );
    app.get("/", (req, res) => {
      res.send(req.user?.id);
    });
    return { begin: "/auth/example", back: "/auth/example/callback" };
  },
  grant(app, url, issuer) {
    app.use(
      grant.express({
        defaults: { origin: url, transport: "session", state: true, pkce: true },
        example: {
          oauth: 2,
          authorize_url: `${issuer}/authorize`,
          access_url: `${issuer}/token`,
          key: ID,
          secret: SECRET,
          callback: "/hello",
        },
      }),
    );
    // Here it sends those whose session knows of no login.
    app.get("/", (_req, res) => {
      res.redirect("/failed");
    });
    app.get("/hello", (req, res) => {
      const { response } = req.session.grant ?? {};
      if (response?.access_token) res.send(response.access_token);
      else res.redirect("/failed");
    });
    return { begin: "/connect/example", back: "/connect/example/callback" };
  },
};

async function site(login: Login, whileThere?: () => Promise<void>) {
  const issuer = await provider(whileThere);
  const app = express();
  const url = await listen(createServer(app));
  app.use(session({ secret: "grant", resave: false, saveUninitialized: false, driver: memoryDriver() }));
  const paths = login(app, url, issuer);
  app.get("/failed", (_req, res) => {
    res.send("not logged in");
  });
  const slow = gate();
  app.get("/visit", (req, res) => {
    req.session.report = "begun";
    res.end();
  });
  app.get("/report", async (req, res) => {
    await slow.pass();
    req.session.report = "made";
    res.end();
  });
  return { url, slow, ...paths };
}

describe.each(Object.entries(logins))("%s with state and PKCE", (_, login) => {
  it("logs in over the redirects", async () => {
    const { url, begin } = await site(login);
    const page = await new Visitor(url).get(begin);
    expect([page.status, page.body]).toEqual([200, "token of alice"]);
  });

  it("refuses the answer to another visitor's login", async () => {
    const { url, begin, back } = await site(login);
    const [alice, mallory] = [new Visitor(url), new Visitor(url)];
    mallory.stopAt = back;
    const { href } = (await mallory.get(begin)).url;
    // As a link that Mallory sends to Alice, who has begun a login, too.
    alice.stopAt = back;
    await alice.get(begin);
    alice.stopAt = "";
    expect((await alice.get(href)).body).toBe("not logged in");
    mallory.stopAt = "";
    expect((await mallory.get(href)).body).toBe("token of alice");
  });

  it("logs in though a slow request, which had read the session before, ends on the way", async () => {
    const report = { end: async () => {} };
    const { url, begin, slow } = await site(login, () => report.end());
    const alice = new Visitor(url);
    await alice.get("/visit");
    const answer = alice.get("/report");
    await slow.reached;
    report.end = async () => {
      slow.open();
      expect((await answer).status).toBe(200);
    };
    expect((await alice.get(begin)).body).toBe("token of alice");
  });
});
