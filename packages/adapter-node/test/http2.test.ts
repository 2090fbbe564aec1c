import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import http2, { type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import { createSessionManager, type Session } from "@sessions/core";
import { expect, onTestFinished, test } from "vitest";
import { openSession, sessionMiddleware } from "../src/index.ts";
import { cookieOf, createBackend, gate } from "./support.ts";

/** Node's HTTP/2 requests and responses have the members that the adapter uses, but share no type with HTTP/1. */
const compatible = (req: Http2ServerRequest, res: Http2ServerResponse) => ({
  req: req as unknown as IncomingMessage,
  res: res as unknown as ServerResponse,
});

async function serve(
  handler: (session: Session, res: Http2ServerResponse) => unknown,
  middleware = false,
  backend = createBackend(),
) {
  const sessions = createSessionManager({ driver: backend.driver });
  const use = sessionMiddleware(sessions);
  const server = http2.createServer(async (req, res) => {
    const pair = compatible(req, res);
    if (middleware) {
      use(pair.req, pair.res, (error) => {
        if (error) res.writeHead(503).end("error page");
        else void openSession(sessions, pair.req, pair.res).then((session) => handler(session, res));
      });
      return;
    }
    await handler(await openSession(sessions, pair.req, pair.res), res);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  const client = http2.connect(
    `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`,
  );
  onTestFinished(() => {
    client.destroy();
    server.close();
  });
  const ask = async (headers: http2.OutgoingHttpHeaders = {}, onData?: () => void) => {
    const stream = client.request(headers);
    const [answer] = (await once(stream, "response")) as [http2.IncomingHttpHeaders];
    let text = "";
    for await (const chunk of stream) {
      text += String(chunk);
      onData?.();
    }
    return { status: answer[":status"], headers: answer, cookies: answer["set-cookie"] ?? [], text };
  };
  return { backend, sessions, ask };
}

test.each<[string, (res: Http2ServerResponse) => unknown]>([
  ["end", (res) => res.end("done")],
  ["writeHead, end", (res) => res.writeHead(200, { "set-cookie": "own=1" }).end("done")],
  [
    "write, end",
    (res) => {
      res.write("do");
      res.end("ne");
    },
  ],
])("a response over HTTP/2 waits for its commit: %s", async (_, finish) => {
  const { ask, sessions } = await serve((session, res) => {
    session.store("app").set("n", 2);
    finish(res);
  });
  const answer = await ask();
  expect([answer.status, answer.text]).toEqual([200, "done"]);
  expect((await sessions.open(cookieOf(answer))).store("app").get("n")).toBe(2);
});

test.each([
  [true, 503, "error page"],
  [false, 500, "Internal Server Error"],
])(
  "a commit that fails takes a response over HTTP/2 back (middleware: %s)",
  async (middleware, status, text) => {
    const { ask, backend } = await serve((session, res) => {
      session.store("app").set("n", 2);
      res.setHeader("x-handler", "yes");
      res.end("done");
    }, middleware);
    backend.down.add("create");
    const answer = await ask();
    expect([answer.status, answer.text, answer.headers["x-handler"]]).toEqual([status, text, undefined]);
  },
);

test("a commit that fails when the headers are out resets a stream of HTTP/2", async () => {
  const halfway = gate();
  const { ask, backend } = await serve(async (session, res) => {
    session.store("app").set("n", 2);
    res.write("half");
    await halfway.opened;
    session.store("app").set("n", 3);
    res.end("whole");
  });
  backend.down.add("commit");
  await expect(ask({}, halfway.open)).rejects.toThrow();
});
