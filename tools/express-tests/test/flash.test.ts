import { memoryDriver } from "@sessions/core/memory";
import session from "@sessions/express-session";
import connectFlash from "connect-flash";
import express, { type RequestHandler } from "express";
import expressFlash from "express-flash";
import { describe, expect, it } from "vitest";
import { gate, listen, Visitor } from "./support.ts";

declare module "express-session" {
  interface SessionData {
    report: string;
  }
}

/** A view of Express that shows the messages that a template would have. */
class MessagesView {
  readonly path = "index";

  render({ messages }: { messages: object }, done: (error: null, text: string) => void): void {
    done(null, JSON.stringify(messages));
  }
}

async function site(flash: () => RequestHandler, home: RequestHandler) {
  const app = express();
  app.set("view", MessagesView);
  app.use(
    session({
      secret: "keyboard cat",
      resave: false,
      saveUninitialized: false,
      cookie: { maxAge: 60_000 },
      driver: memoryDriver(),
    }),
  );
  app.use(flash());
  app.get("/", home);
  app.get("/flash", (req, res) => {
    req.flash("info", "Flash is back!");
    res.redirect("/");
  });
  const slow = gate();
  app.get("/slow", async (req, res) => {
    await slow.pass();
    req.session.report = "made";
    res.send("slow");
  });
  app.get("/quick", (req, res) => {
    req.flash("info", "Saved");
    res.send("quick");
  });
  app.get("/report", (req, res) => {
    res.send(req.session.report);
  });
  return { url: await listen(app), slow };
}

const kinds: Record<string, { flash: () => RequestHandler; home: RequestHandler }> = {
  "connect-flash": {
    flash: connectFlash,
    home: (req, res) => {
      res.json({ info: req.flash("info") });
    },
  },
  "express-flash": {
    flash: expressFlash,
    home: (_req, res) => {
      res.render("index");
    },
  },
};

describe.each(Object.entries(kinds))("%s", (_, { flash, home }) => {
  const messages = async (visitor: Visitor): Promise<string[]> =>
    JSON.parse((await visitor.get("/")).body).info ?? [];

  it("shows a message after the redirect, once", async () => {
    const visitor = new Visitor((await site(flash, home)).url);
    expect(JSON.parse((await visitor.get("/flash")).body)).toEqual({ info: ["Flash is back!"] });
    expect(await messages(visitor)).toEqual([]);
  });

  it("keeps the message of a quick request beside a slow one", async () => {
    const { url, slow } = await site(flash, home);
    const visitor = new Visitor(url);
    await visitor.get("/flash");
    const report = visitor.get("/slow");
    await slow.reached;
    await visitor.get("/quick");
    slow.open();
    await report;
    expect(await messages(visitor)).toEqual(["Saved"]);
    expect((await visitor.get("/report")).body).toBe("made");
  });

  it("shows a message no second time, though a slow request had read it", async () => {
    const { url, slow } = await site(flash, home);
    const visitor = new Visitor(url);
    await visitor.get("/quick");
    const report = visitor.get("/slow");
    await slow.reached;
    expect(await messages(visitor)).toEqual(["Saved"]);
    slow.open();
    await report;
    expect(await messages(visitor)).toEqual([]);
  });
});
