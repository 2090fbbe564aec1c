import { sessionMiddleware } from "@sessions/adapter-node";
import { createSessionManager, defineStore } from "@sessions/core";
import { csrfSync } from "csrf-sync";
import express from "express";
import { ipKeyGenerator, rateLimit } from "express-rate-limit";
import passport from "passport";
import { Strategy } from "passport-local";
import { port, run } from "./settings.ts";

declare global {
  namespace Express {
    interface User {
      readonly id: string;
    }
  }
}

// Your database stands here.
const findUser = async (id: string): Promise<Express.User> => ({ id });
const checkPassword = async (name: string, password: string): Promise<Express.User | false> =>
  password === "tea" && { id: name };

const sessions = createSessionManager();
const app = express();
app.use(sessionMiddleware(sessions));
app.use(express.urlencoded({ extended: false }));

const csrf = defineStore<{ token: string }>("csrf");
const { csrfSynchronisedProtection, generateToken } = csrfSync({
  getTokenFromRequest: (req) => req.body?.csrf,
  getTokenFromState: (req) => req.session.store(csrf).get("token"),
  storeTokenInState(req, token) {
    if (token) req.session.store(csrf).set("token", token);
    else req.session.store(csrf).delete("token");
  },
});
app.use(csrfSynchronisedProtection);

passport.use(
  new Strategy((name, password, done) => {
    checkPassword(name, password).then((user) => done(null, user), done);
  }),
);
// In place of passport.session() and deserializeUser().
app.use(async (req, _res, next) => {
  const { principal } = req.session;
  if (principal !== undefined) req.user = await findUser(principal);
  next();
});
app.post("/login", passport.authenticate("local", { session: false }), (req, res) => {
  if (req.user) req.session.login(req.user.id); // a new id and cookie, in place of regenerate() and save()
  res.redirect(303, "/");
});
app.post("/logout", async (req, res) => {
  await req.session.logout(); // in place of req.logout()
  res.redirect(303, "/");
});

const limit = rateLimit({
  windowMs: 60_000,
  limit: 3,
  keyGenerator: (req) => req.session.principal ?? ipKeyGenerator(req.ip ?? ""),
});
app.post("/notes", limit, (req, res) => {
  req.session.flash("info", "Saved"); // req.flash("info", "Saved")
  res.redirect(303, "/");
});

app.get("/", (req, res) => {
  const messages = req.session.flash("info"); // req.flash("info")
  res.json({ user: req.user?.id, messages, csrf: generateToken(req) });
});

const server = app.listen(port, "127.0.0.1", (error) => {
  if (error) throw error;
  run(server);
});
