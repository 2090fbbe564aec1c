import { sessionMiddleware } from "@sessions/adapter-node";
import { createSessionManager, defineStore } from "@sessions/core";
import { csrfSync } from "csrf-sync";
import express, { type RequestHandler } from "express";
import { ipKeyGenerator, rateLimit } from "express-rate-limit";
import lusca from "lusca";
import { port, run } from "./settings.ts";

const sessions = createSessionManager();
const app = express();
app.use(sessionMiddleware(sessions));
app.use(express.urlencoded({ extended: false }));

const secrets = defineStore<{ secret: string }>("lusca");
const checkOfLusca = lusca.csrf();
const csrfOfLusca: RequestHandler = (req, res, next) => {
  const store = req.session.store(secrets);
  const session = {
    get _csrfSecret(): string | undefined {
      return store.get("secret");
    },
    set _csrfSecret(secret: string) {
      store.set("secret", secret);
    },
  };
  checkOfLusca(Object.create(req, { session: { value: session } }), res, next);
};
app.all("/lusca", csrfOfLusca, (_req, res) => {
  res.json({ csrf: res.locals["_csrf"] });
});

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
  res.json({ messages, csrf: generateToken(req) });
});

const server = app.listen(port, "127.0.0.1", (error) => {
  if (error) throw error;
  run(server);
});
