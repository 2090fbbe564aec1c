import { fileDriver } from "@sessions/driver-file";
import session from "@sessions/express-session";
import express, { type NextFunction, type Request, type Response } from "express";
import { FileStore } from "./file-store.ts";
import { page, written } from "./page.ts";
import { COOKIE_MS, folder, port, run, secret } from "./settings.ts";

declare module "express-session" {
  interface SessionData {
    user: string;
    cart: string[];
  }
}

const app = express();
app.use(
  session({
    driver: fileDriver({ directory: `${folder}/new` }), // or redisDriver({ client }), mysqlDriver({ client }), …
    from: new FileStore(`${folder}/old`), // until the old cookies have expired: nobody is logged out
    principal: (data: { user?: string }) => data.user, // whose a session is; the default is Passport's
    secret,
    resave: false,
    saveUninitialized: false,
    cookie: { maxAge: COOKIE_MS, sameSite: "lax" },
  }),
);
app.use(express.urlencoded({ extended: false }));

app.get("/", ({ session }, res) => {
  res.send(page(session.user, session.cart ?? []));
});

/** Saves before it redirects. Otherwise the browser may ask for the next page before express-session has saved. */
function saveAndReturn({ session }: Request, res: Response, next: NextFunction): void {
  session.save((error) => {
    if (error) next(error);
    else res.redirect(303, "/");
  });
}

app.post("/login", (req, res, next) => {
  const user = written(req.body, "name");
  const { cart } = req.session;
  if (!user) return res.redirect(303, "/");
  req.session.regenerate((error) => {
    if (error) return next(error);
    Object.assign(req.session, { user, ...(cart && { cart }) });
    saveAndReturn(req, res, next);
  });
});

app.post("/cart", (req, res, next) => {
  const item = written(req.body, "item");
  // If two requests overlap, one loses its item.
  if (item) req.session.cart = [...(req.session.cart ?? []), item];
  saveAndReturn(req, res, next);
});

app.post("/logout", (req, res, next) => {
  req.session.destroy((error) => {
    if (error) return next(error);
    res.clearCookie("connect.sid").redirect(303, "/");
  });
});

const server = app.listen(port, "127.0.0.1", (error) => {
  if (error) throw error;
  run(server);
});
