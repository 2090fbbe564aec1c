import { getIronSession, type IronSession } from "iron-session";
import { listen, send } from "../node-server.ts";
import { EVERYWHERE, IN_COOKIE, type Means, type Peer, USER } from "../peer.ts";

/** The places are headings of iron-session's README. */
function meansOf(session: IronSession<Record<string, unknown>>): Means {
  const values: Record<string, unknown> = session;
  const set = (key: string, value: unknown): Promise<void> => {
    values[key] = value;
    // "session.save()": "must be done and awaited before headers are sent"
    return session.save();
  };
  return {
    read: () => ({ ...values }),
    set,
    login: (user) => set(USER, user),
    // "session.destroy()"
    logout: () => session.destroy(),
    save: () => session.save(),
  };
}

const NO_MIDDLEWARE =
  "it is a function that handlers call, so that other middlewares have no session to write to";

export const ironSessionPeer: Peer = {
  name: "iron-session",
  packages: ["iron-session"],
  abilities: ["streams"],
  apart: [
    ...EVERYWHERE,
    ...IN_COOKIE,
    { rule: "H3", reason: NO_MIDDLEWARE },
    { rule: "H11", reason: NO_MIDDLEWARE },
  ],
  start: ({ name, cookie, sessionOf, handle, onError }) =>
    listen(async (req, res) => {
      try {
        // "getIronSession(req, res, sessionOptions)"; the cookie's other settings are the defaults, with `secure: true`.
        const session = await getIronSession<Record<string, unknown>>(req, res, {
          cookieName: name,
          password: "a secret of the bench's own, and long enough",
          cookieOptions: cookie,
        });
        await send(res, await handle(sessionOf(meansOf(session)), req.method ?? "", req.url ?? ""));
      } catch (error) {
        onError(error);
        res.statusCode = 500;
        res.end("error page");
      }
    }),
};
