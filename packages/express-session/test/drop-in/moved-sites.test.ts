import { memoryDriver } from "@sessions/core/memory";
import { expect, test } from "vitest";
import { sessionOf } from "../../src/index.ts";
import { meeting, visit } from "../support.ts";
import { appOn, serve, set, show } from "./support.ts";

// What the guide from express-session tells sites to write beside the drop-in.

test("sessionOf: rotate() gives a new id, keeps what is in req.session, and ends the old cookie", async () => {
  const { app } = appOn(memoryDriver());
  const url = await serve(app, {
    "/set": set,
    "/show": show,
    "/login": (req, res) => {
      sessionOf(req).rotate();
      req.session["user"] = "anna";
      res.end();
    },
  });
  const visitor = visit(url);
  const { setCookie = "" } = await visitor.get("/set?page=cart");
  await visitor.get("/login");
  expect((await visitor.get("/show")).body).toBe('{"page":"cart","user":"anna"}');
  const guest = await fetch(`${url}/show`, { headers: { cookie: setCookie.split(";")[0] ?? "" } });
  expect(await guest.json()).toEqual({});
});

test("sessionOf: messages of requests that overlap are all kept", async () => {
  const { app } = appOn(memoryDriver());
  const met = meeting(2);
  const url = await serve(app, {
    "/set": set,
    "/leave": async (req, res) => {
      await met();
      sessionOf(req).flash("info", req.query["text"]);
      res.end();
    },
    "/take": (req, res) => void res.json(sessionOf(req).flash("info")),
  });
  const visitor = visit(url);
  await visitor.get("/set?a=1");
  await Promise.all(["one", "two"].map((text) => visitor.get(`/leave?text=${text}`)));
  const messages: unknown = JSON.parse((await visitor.get("/take")).body);
  expect(messages).toHaveLength(2);
  expect(messages).toEqual(expect.arrayContaining(["one", "two"]));
  expect((await visitor.get("/take")).body).toBe("[]");
});

test("a logout everywhere that spares the session of its request leaves that a message for the next page", async () => {
  const { app, sessions } = appOn(memoryDriver(), { principal: ({ user }) => user });
  const url = await serve(app, {
    "/set": set,
    "/show": show,
    "/logout-everywhere": async (req, res) => {
      await sessions.destroyAll({ principal: "anna", except: sessionOf(req).id });
      delete req.session["user"];
      req.session["message"] = "Logged out everywhere";
      res.end();
    },
  });
  const [here, there] = [visit(url), visit(url)];
  for (const visitor of [here, there]) await visitor.get("/set?user=anna");
  await here.get("/logout-everywhere");
  expect((await here.get("/show")).body).toBe('{"message":"Logged out everywhere"}');
  expect((await there.get("/show")).body).toBe("{}");
  expect(await sessions.destroyAll({ principal: "anna" })).toBe(0);
});
