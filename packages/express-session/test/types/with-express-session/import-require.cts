import session = require("@sessions/express-session");
import express = require("express");
import expressSession = require("express-session");

const options: session.SessionOptions = { secret: "secret" };
const { sessionOf, expressSessionStore } = session;
express()
  .use(session(options))
  .use(session({ secret: "secret", store: new expressSession.MemoryStore() }))
  .use(session({ secret: "secret", from: new expressSession.MemoryStore() }))
  .get("/", (req, res) => {
    req.session.touch();
    res.json([sessionOf(req).id, typeof expressSessionStore, req.session.id]);
  });
export = express;
