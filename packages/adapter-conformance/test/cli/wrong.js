// The response to a visitor does not wait for the commit.
import { targetOf } from "./right.js";

export const target = targetOf("wrong", async (session) => {
  const committed = session.commit({ seal: true });
  if (session.isNew) return committed;
  committed.catch(() => undefined);
  return {};
});
