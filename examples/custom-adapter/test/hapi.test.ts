import Boom from "@hapi/boom";
import { server as createServer, type Server, type ServerInjectOptions } from "@hapi/hapi";
import { createBackend } from "@sessions/adapter-conformance";
import { createSessionManager } from "@sessions/core";
import { beforeEach, expect, test } from "vitest";
import { type HapiSessionsOptions, hapiSessions } from "../src/index.ts";

// What the kit cannot see, because only hapi has it.

const backend = createBackend();
const sessions = createSessionManager({ driver: backend.driver });
let server: Server;

beforeEach(async () => {
  backend.calls.length = 0;
  backend.down.clear();
  server = createServer();
  await server.register({ plugin: hapiSessions, options: { sessions } });
  server.route({
    method: "GET",
    path: "/write",
    handler: ({ session }) => session.store("app").set("n", 2) ?? "done",
  });
});

/** Makes a request without a socket. */
const ask = (options: string | ServerInjectOptions) => server.inject(options);
const cookieOf = ({ headers }: { headers: object }): string =>
  [Reflect.get(headers, "set-cookie") ?? ""].flat().join().split(";")[0] ?? "";

/** Logs a principal in without a request. Returns the cookie. */
async function visitor(principal: string): Promise<string> {
  const session = await sessions.open(undefined);
  session.login(principal);
  const { setCookie = "" } = await session.commit();
  backend.calls.length = 0;
  return setCookie.split(";")[0] ?? "";
}

test("an authentication scheme finds the session, and what it replies by itself is committed", async () => {
  server.auth.scheme("session", () => ({
    authenticate({ session, path }, h) {
      if (session.principal !== undefined)
        return h.authenticated({ credentials: { user: session.principal } });
      session.store("app").set("from", path);
      return h.redirect("/login").takeover();
    },
  }));
  server.auth.strategy("session", "session");
  server.route({
    method: "GET",
    path: "/account",
    options: { auth: "session" },
    handler: ({ auth }) => String(auth.credentials.user),
  });
  const cookie = await visitor("ada");
  expect((await ask({ url: "/account", headers: { cookie } })).payload).toBe("ada");
  const guest = await ask("/account");
  expect(guest.statusCode).toBe(302);
  expect((await sessions.open(cookieOf(guest))).store("app").get("from")).toBe("/account");
});

test("a page that another plugin puts in the handler's place has the cookie", async () => {
  server.ext("onPreResponse", (_, h) => h.response("another page"));
  const answer = await ask("/write");
  expect(answer.payload).toBe("another page");
  expect((await sessions.open(cookieOf(answer))).store("app").get("n")).toBe(2);
  expect(answer.headers["cache-control"]).toBe("private, no-store");
});

test("an error that the handler throws keeps what was staged before a login, and its own message and headers", async () => {
  server.route({
    method: "GET",
    path: "/login",
    handler({ session }) {
      session.store("app").set("attempts", 1);
      session.login("ada");
      throw Boom.unauthorized("Wrong password", "Basic");
    },
  });
  const answer = await ask("/login");
  expect([answer.statusCode, answer.headers["www-authenticate"]]).toEqual([
    401,
    'Basic error="Wrong password"',
  ]);
  const session = await sessions.open(cookieOf(answer));
  expect([session.principal, session.store("app").get("attempts")]).toEqual([undefined, 1]);
});

test.each(["create", "load"] as const)(
  "while the backend is down at %s the application's page is asked, and hapi's own shows no message",
  async (method) => {
    const seen: unknown[] = [];
    server.ext("onPreResponse", ({ response }, h) => {
      seen.push(response instanceof Error && response.message);
      return h.continue;
    });
    const cookie = method === "load" ? await visitor("ada") : "";
    backend.down.add(method);
    const answer = await ask({ url: "/write", headers: { cookie } });
    expect([answer.statusCode, answer.headers["retry-after"]]).toEqual([503, "5"]);
    expect(JSON.parse(answer.payload)).toEqual({
      statusCode: 503,
      error: "Service Unavailable",
      message: "Service Unavailable",
    });
    expect(seen).toEqual([expect.stringMatching(/./)]);
    expect(answer.headers).not.toHaveProperty("set-cookie");
  },
);

test("a path without a route costs nothing", async () => {
  const cookie = await visitor("ada");
  expect((await ask({ url: "/nowhere", headers: { cookie } })).statusCode).toBe(404);
  expect(backend.calls).toEqual([]);
});

test.each<[string, object, string]>([
  ["no manager", { sessions: undefined }, "hapiSessions: sessions is not a session manager"],
  ["a misspelt option", { sessions, vari: false }, 'Did you mean "vary"?'],
  ["a touch that is no function", { sessions, touch: true }, "touch must be a function"],
  ["a vary that is no boolean", { sessions, vary: "no" }, "vary must be true or false"],
])("registration refuses %s", async (_, wrong, message) => {
  const options: HapiSessionsOptions = Object.assign({ sessions }, wrong);
  await expect(createServer().register({ plugin: hapiSessions, options })).rejects.toThrow(message);
});
