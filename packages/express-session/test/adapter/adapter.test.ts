import { createServer } from "node:http";
import { openSession, sessionMiddleware } from "@sessions/adapter-node";
import { createSessionManager } from "@sessions/core";
import { expect, onTestFinished, test } from "vitest";
import { fromExpressSessionStore, type StoreLike } from "../../src/index.ts";

/** The least that a store can be. */
function mapStore(): StoreLike {
  const texts = new Map<string, string>();
  return {
    get: (id, callback) => callback(null, JSON.parse(texts.get(id) ?? "null")),
    set(id, session, done) {
      texts.set(id, JSON.stringify(session));
      done();
    },
    destroy(id, done) {
      texts.delete(id);
      done();
    },
  };
}

// Apart from the other tests, and a program of its own: adapter-node and express-session both say what `req.session` is.
test("an application keeps its sessions by a store, from request to request", async () => {
  const sessions = createSessionManager({
    driver: fromExpressSessionStore(mapStore()),
  });
  const server = createServer(async (req, res) => {
    const visits = (await openSession(sessions, req, res)).store<{ count: number }>("visits");
    res.end(String(visits.update("count", (n = 0) => n + 1)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;

  const first = await fetch(url);
  expect(await first.text()).toBe("1");
  const [setCookie = ""] = first.headers.getSetCookie();
  const second = await fetch(url, { headers: { cookie: setCookie.split(";", 1)[0] ?? "" } });
  expect(await second.text()).toBe("2");
});

test("what is no function to adopt by is refused when the middleware is made", () => {
  const call = (): unknown =>
    Reflect.apply(sessionMiddleware, undefined, [createSessionManager(), { adopt: { store: mapStore() } }]);
  expect(call).toThrow(/adopt must be a function/);
});
