import { randomUUID } from "node:crypto";
import { sessionMiddleware } from "@sessions/adapter-node";
import { createSessionManager, defineStore, isLoggedIn } from "@sessions/core";
import express, { type Request } from "express";
import passport, { type LogInOptions, type LogOutOptions } from "passport";
import { Strategy } from "passport-local";
import OAuth2Strategy, { type StateStore } from "passport-oauth2";
import { port, run } from "./settings.ts";

declare global {
  namespace Express {
    interface User {
      readonly id: string;
    }
  }
}

type Stored = (error: Error | null, state?: string) => void;
type Verified = (error: Error | null, verifier: string | boolean, state?: string) => void;
type Done = (error: unknown) => void;

// Your database stands here.
const findUser = async (id: string): Promise<Express.User> => ({ id });
const checkPassword = async (name: string, password: string): Promise<Express.User | false> =>
  password === "tea" && { id: name };

const sessions = createSessionManager();
const app = express();
app.use(sessionMiddleware(sessions));
app.use(express.urlencoded({ extended: false }));

passport.use(
  new Strategy((name, password, done) => {
    checkPassword(name, password).then((user) => done(null, user), done);
  }),
);

const attempts = defineStore<Record<string, string | true>>("oauth");
const store = {
  store(req: Request, verifier: string | undefined, _state: unknown, _meta: unknown, done: Stored) {
    const state = randomUUID();
    req.session.store(attempts).set(state, verifier ?? true); // without pkce there is no verifier
    done(null, state);
  },
  verify(req: Request, state: unknown, _meta: unknown, done: Verified) {
    const key = String(state).slice(0, 36);
    // Once: a callback that comes again finds nothing. false is "failed" to Passport.
    done(null, (key && req.session.store(attempts).take(key)) || false, key);
  },
};
const provider = process.env["OAUTH_URL"] || "http://localhost:4000";
for (const pkce of [true, false]) {
  const strategy = new OAuth2Strategy(
    {
      authorizationURL: `${provider}/authorize`,
      tokenURL: `${provider}/token`,
      clientID: "shop",
      clientSecret: "for trying it out, and nothing else",
      callbackURL: "/oauth/back",
      pkce,
      state: true,
      // @types/passport-oauth2 does not know the form of a store for PKCE.
      store: store as unknown as StateStore,
    },
    (accessToken: string, _refreshToken: string, _profile: unknown, done: OAuth2Strategy.VerifyCallback) =>
      done(null, { id: accessToken }), // the provider's user; yours is asked for with the token
  );
  passport.use(pkce ? "oauth2" : "oauth2-without-pkce", strategy);
}

// Before any use of Passport, which gives both methods their other names, `login` and `logout`.
app.use((req, _res, next) => {
  req.logIn = (user: Express.User, options: LogInOptions | Done, done?: Done) => {
    if (typeof options === "function") return req.logIn(user, { session: true }, options);
    req.user = user;
    if (options.session !== false) req.session.login(user.id);
    done?.(undefined);
  };
  req.logOut = (options: LogOutOptions | Done, done?: Done) => {
    const then = typeof options === "function" ? options : done;
    if (!then) throw new TypeError("req.logout needs a callback");
    req.user = undefined;
    req.session.logout().then(() => then(undefined), then);
  };
  next();
});
app.use(passport.initialize());
app.post("/kept/login", passport.authenticate("local"), (_req, res) => res.redirect(303, "/"));
app.post("/kept/signup", (req, res, next) => {
  req.login({ id: "new" }, (error) => (error ? next(error) : res.redirect(303, "/")));
});
app.post("/kept/logout", (req, res, next) => {
  req.logout((error) => {
    if (error) return next(error);
    req.session.flash("info", "Goodbye");
    res.redirect(303, "/");
  });
});

// In place of passport.session() and deserializeUser().
app.use(async (req, _res, next) => {
  if (isLoggedIn(req.session)) req.user = await findUser(req.session.principal);
  next();
});
app.post("/login", passport.authenticate("local", { session: false, failureRedirect: "/" }), (req, res) => {
  if (req.user) req.session.login(req.user.id); // a new id and cookie, in place of regenerate() and save()
  res.redirect(303, "/");
});
app.post("/logout", async (req, res) => {
  await req.session.logout(); // in place of req.logout()
  res.redirect(303, "/");
});
app.post("/logout-everywhere", async (req, res) => {
  if (req.user) await sessions.destroyAll({ principal: req.user.id });
  res.redirect(303, "/");
});
app.get("/oauth", passport.authenticate("oauth2", { session: false }));
app.get("/oauth/back", passport.authenticate("oauth2", { session: false }), (req, res) => {
  if (req.user) req.session.login(req.user.id);
  req.session.store(attempts).clear();
  res.redirect("/");
});
app.get("/oauth-without-pkce", passport.authenticate("oauth2-without-pkce", { session: false }));
app.get("/", (req, res) => {
  res.json({ user: req.user?.id, messages: req.session.flash("info") });
});

const server = app.listen(port, "127.0.0.1", (error) => {
  if (error) throw error;
  run(server);
});
