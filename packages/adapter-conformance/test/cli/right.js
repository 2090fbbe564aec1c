// A small adapter for servers whose handlers return a whole response, and its target. Plain JavaScript, because Node runs
// this file without any loader.
import { once } from "node:events";
import http from "node:http";
import {
  dropLogin,
  keepFromCaches,
  openOptionsOf,
  reportsError,
  varyByCookie,
  wasRead,
} from "@sessions/core/adapter-tools";

const seal = (session) => session.commit({ seal: true });

async function withSession(sessions, req, res, handler, commit) {
  const { method, headers } = req;
  const facts = { method, header: (name) => headers[name], https: false, touch: true };
  const session = await sessions.open(headers.cookie, openOptionsOf(sessions, facts));
  const reply = await handler(session);
  if (reportsError(reply.status)) dropLogin(session);
  const { setCookie } = await commit(session);
  res.statusCode = reply.status;
  for (const [name, value] of Object.entries(reply.headers)) res.setHeader(name, value);
  const out = {
    get: (name) => res.getHeader(name),
    set: (name, value) => res.setHeader(name, value),
    delete: (name) => res.removeHeader(name),
    names: () => res.getHeaderNames(),
  };
  if (wasRead(session)) varyByCookie(out);
  if (setCookie !== undefined) {
    res.appendHeader("Set-Cookie", setCookie);
    keepFromCaches(out);
  }
  res.end(reply.body);
}

/** The target: the adapter, whose commit may be a wrong one. */
export const targetOf = (name, commit = seal) => ({
  name,
  async start({ sessions, handler, onError }) {
    const server = http.createServer(async (req, res) => {
      const { method, url } = req;
      try {
        const run = async (session) => {
          const { status = 200, headers = {}, body, redirect } = await handler({ session, method, url });
          return redirect ? { status: 303, headers: { Location: redirect } } : { status, headers, body };
        };
        await withSession(sessions, req, res, run, commit);
      } catch (error) {
        onError(error);
        res.statusCode = 500;
        res.end("error page");
      }
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    return {
      url: `http://127.0.0.1:${server.address().port}`,
      close: () => {
        server.closeAllConnections();
        server.close();
      },
    };
  },
});

export const target = targetOf("right");
