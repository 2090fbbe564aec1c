import { randomBytes } from "node:crypto";
import { defineStore } from "@sessions/core";
import express, { type Request, type Router } from "express";
import { type Draft, draftPage, forumPage, type Post } from "./forum-pages.ts";
import { field } from "./guard.ts";
import { sendPage } from "./page.ts";

/**
 * The forum's part of the session: one key per draft. Requests that write different keys never meet, so two tabs that
 * save at the same moment both succeed.
 */
const drafts = defineStore<Record<string, Draft>>("drafts");

const DRAFT_ID = /^[0-9a-f]{12}$/;
const MOST_POSTS = 50;

const sent = (req: Request): Draft => ({
  title: field(req, "title").slice(0, 120).toWellFormed(),
  text: field(req, "text").slice(0, 4000).toWellFormed(),
  savedAt: new Date(),
});

export function forum(): Router {
  const router = express.Router();
  // Posts are for everybody, so they are not in a session. A real forum has a database; this one forgets.
  const posts: Post[] = [
    { author: "grace", title: "Welcome", text: "Be kind, and save often.", at: new Date() },
  ];

  router.get("/", (req, res) => {
    sendPage(req, res, { title: "Forum", body: forumPage(posts, [...req.session.store(drafts)]) });
  });

  // An empty draft is not stored.
  router.get("/new", (_req, res) => res.redirect(303, `/forum/drafts/${randomBytes(6).toString("hex")}`));

  router.param("draft", (_req, _res, next, id: string) => next(DRAFT_ID.test(id) ? undefined : "router"));

  router.get("/drafts/:draft", (req, res) => {
    const { draft: id } = req.params;
    const draft = req.session.store(drafts).get(id);
    sendPage(req, res, { title: "Draft", body: draftPage(id, draft, req.session.principal) });
  });

  // The page sends this while you write. "gone" is no error, but the writer should know that nothing was kept.
  router.post("/drafts/:draft/autosave", async (req, res) => {
    req.session.store(drafts).set(req.params.draft, sent(req));
    const { status } = await req.session.commit();
    res.sendStatus(status === "gone" ? 409 : 204);
  });

  router.post("/drafts/:draft/save", (req, res) => {
    req.session.store(drafts).set(req.params.draft, sent(req));
    req.session.flash("notice", "Draft saved.");
    res.redirect(303, "/forum");
  });

  router.post("/drafts/:draft/discard", (req, res) => {
    if (req.session.store(drafts).delete(req.params.draft)) req.session.flash("notice", "Draft discarded.");
    res.redirect(303, "/forum");
  });

  router.post("/drafts/:draft/post", (req, res) => {
    const { session } = req;
    const { draft: id } = req.params;
    const draft = sent(req);
    if (session.principal === undefined || draft.title === "") {
      session.store(drafts).set(id, draft);
      session.flash(
        "notice",
        session.principal === undefined ? "Sign in to post. Your draft is kept." : "A post needs a title.",
      );
      const back = `/forum/drafts/${id}`;
      return res.redirect(303, session.principal === undefined ? `/account?next=${back}` : back);
    }
    posts.unshift({ author: session.principal, title: draft.title, text: draft.text, at: new Date() });
    posts.splice(MOST_POSTS);
    session.store(drafts).delete(id);
    session.flash("notice", "Posted.");
    res.redirect(303, "/forum");
  });

  return router;
}
