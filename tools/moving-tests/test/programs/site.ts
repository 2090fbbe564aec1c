/** A process of a shop that has moved from one of three libraries. Its arguments are a Redis and a prefix there. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { withSession } from "@sessions/adapter-fetch";
import { adoptCookieSession, adoptIronSession, adoptKoaSession } from "@sessions/adopt";
import { createSessionManager, type Session } from "@sessions/core";
import { fromUrl } from "@sessions/driver-redis";

const [, , url = "", prefix = ""] = process.argv;
const driver = await fromUrl(url, { prefix });
const sessions = createSessionManager({ driver });

function map({ user }: { user?: string }, session: Session): void {
  if (user !== undefined) session.login(user);
}
const common = { driver, until: new Date(Date.now() + 86_400_000), map };
// As the guides' shops have them.
const keys = ["a key of this shop's own"];
const password = "a password of this shop's own, of 32 or more";
const adopts = new Map([
  ["cookie-session", adoptCookieSession({ keys, ...common })],
  ["iron-session", adoptIronSession({ password, cookieName: "shop", ...common })],
  ["koa-session", adoptKoaSession({ keys, ...common })],
]);

const server = createServer(async (req, res) => {
  // `/koa-session/throws` is a handler that fails.
  const [, library = "", fails] = (req.url ?? "").split("/");
  const request = new Request("http://localhost/", { headers: { cookie: req.headers.cookie ?? "" } });
  const handler = (session: Session): Response => {
    if (fails) throw new Error("a bug of the shop's");
    return new Response(session.principal ?? "nobody");
  };
  const response = await withSession(sessions, request, handler, { adopt: adopts.get(library) }).catch(
    () => new Response("", { status: 500 }),
  );
  res.writeHead(response.status, { "set-cookie": response.headers.getSetCookie() });
  res.end(await response.text());
});
server.listen(0, "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
process.on("SIGTERM", () => process.exit());
