import type { IncomingMessage, ServerResponse } from "node:http";
import type { Session, SessionManager } from "@sessions/core";
import { type Adopt, type Adopting, beginAdopting } from "@sessions/core/adapter-tools";
import { type Seal, sealSession } from "./hold-back/hold-back.ts";

/** Takes the session of another library over, and adds the header that removes its cookie when ours is sealed. */
export function adoptOnNode(
  sessions: SessionManager,
  adopt: Adopt,
  { headers }: IncomingMessage,
  res: ServerResponse,
): { adoptInto: Adopting["adoptInto"]; seal: Seal } {
  const { adoptInto, endOldCookie } = beginAdopting(sessions, adopt, {
    cookieHeader: headers.cookie,
    header(name) {
      const value = headers[name];
      return typeof value === "string" ? value : undefined;
    },
    isGone: () => res.closed,
    whenOver(done) {
      if (res.closed) done();
      else res.once("close", done);
    },
  });
  async function seal(session: Session): ReturnType<Seal> {
    const { setCookies, more } = await sealSession(session);
    return { setCookies: [...endOldCookie(), ...setCookies], more };
  }
  return { adoptInto, seal };
}
