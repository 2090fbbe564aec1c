import { createServer } from "node:http";
import { getIronSession, type IronSession, nodeCookies } from "iron-session";
import { answer, type OpenSite, type Visit } from "./routes.ts";

type Values = Record<string, unknown>;

/** A request's session. It is sent only after a save. */
function visitOf(session: IronSession<Values>): Visit {
  const values: Values = session;
  async function set(key: string, value: unknown): Promise<void> {
    values[key] = value;
    await session.save();
  }
  return {
    get: (key) => values[key],
    set,
    increment: (key) => set(key, Number(values[key] ?? 0) + 1),
    entries: () => ({ ...values }),
    login: (user) => set("user", user),
    logout: () => session.destroy(),
  };
}

export const open: OpenSite = async () => {
  const server = createServer(async (req, res) => {
    try {
      const session = await getIronSession<Values>(nodeCookies(req, res), {
        cookieName: "iron",
        password: "a secret of the bench's own, and long enough",
        cookieOptions: { secure: false },
      });
      res.end(await answer(req.url ?? "", visitOf(session)));
    } catch (error) {
      console.error(error);
      res.writeHead(500).end();
    }
  });
  return { server, close: async () => {} };
};
