import type { SessionInfo, SessionManager } from "@sessions/core";
import express, { type Router } from "express";
import { accountPage, signedOutPage, signInPage } from "./account-pages.ts";
import { field, localPath } from "./guard.ts";
import { sendPage } from "./page.ts";
import { shortId } from "./session-panel.ts";

/** A name may be any visible text of limited length. */
const NAME = /^[^\p{C}]{1,40}$/u;

export function account(sessions: SessionManager): Router {
  const router = express.Router();

  router.get("/", async (req, res) => {
    const next = localPath(String(req.query["next"] ?? ""), "/account");
    const { id, principal } = req.session;
    if (principal === undefined) return sendPage(req, res, { title: "Sign in", body: signInPage(next) });

    const mine: SessionInfo[] = [];
    for await (const info of sessions.list({ principal })) mine.push(info);
    sendPage(req, res, { title: "Your sessions", body: accountPage(principal, id, mine) });
  });

  // A new session, with a new id and cookie, takes over the data of the old one, which ends. Another user's data is not
  // taken over.
  router.post("/sign-in", (req, res) => {
    const name = field(req, "name").normalize("NFC");
    const next = localPath(field(req, "next"), "/account");
    if (!NAME.test(name)) {
      req.session.flash("notice", "A name has 1 to 40 characters.");
      return res.redirect(303, `/account?next=${encodeURIComponent(next)}`);
    }
    req.session.login(name);
    req.session.flash("notice", `Welcome, ${name}.`);
    res.redirect(303, next);
  });

  router.post("/sign-out", async (req, res) => {
    await req.session.logout();
    res.redirect(303, "/account/signed-out");
  });

  router.get("/signed-out", (req, res) => {
    if (req.session.principal !== undefined) return res.redirect(303, "/account");
    sendPage(req, res, { title: "Signed out", body: signedOutPage });
  });

  // The routes below show one user's sessions, and need the user.
  router.use((req, res, next) => {
    if (req.session.principal === undefined) res.redirect(303, "/account");
    else next();
  });

  router.post("/end", async (req, res) => {
    const { session } = req;
    const id = field(req, "id");
    // The id comes from the page, so check that the session belongs to this user.
    const ended = await sessions.destroy(id, { principal: session.principal });
    session.flash("notice", ended ? `Session ${shortId(id)} has ended.` : "That session had ended already.");
    res.redirect(303, "/account");
  });

  router.post("/end-others", async (req, res) => {
    const { id, principal = "" } = req.session;
    const ended = await sessions.destroyAll({ principal, except: id });
    req.session.flash(
      "notice",
      ended === 1 ? "One other session has ended." : `${ended} other sessions have ended.`,
    );
    res.redirect(303, "/account");
  });

  // End the others first. If that fails, you are still logged in and can try again.
  router.post("/end-all", async (req, res) => {
    const { id, principal = "" } = req.session;
    await sessions.destroyAll({ principal, except: id });
    await req.session.logout();
    res.redirect(303, "/account/signed-out");
  });

  return router;
}
