import { getIronSession } from "@sessions/iron-session";
import type { NextApiRequest, NextApiResponse } from "next";
import { type Data, options } from "../../app/iron/options.ts";

/** An API route of the pages router: `GET` reads, `POST` logs in, `DELETE` destroys. */
export default async function handler(req: NextApiRequest, res: NextApiResponse): Promise<void> {
  const session = await getIronSession<Data>(req, res, options);
  if (req.method === "POST") {
    session.userId = "Ada";
    await session.save();
  }
  if (req.method === "DELETE") await session.destroy();
  res.json(session);
}
