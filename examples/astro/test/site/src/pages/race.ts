import type { APIRoute } from "astro";

/** Reads a session, ours or Astro's own. Then it sends the request `meanwhile`, and changes the session as it was read. */
export const GET: APIRoute = async ({ session: own, locals: { session }, request: { headers }, url }) => {
  const ask = url.searchParams;
  const ours = ask.has("ours") ? session.store<Record<string, boolean>>("race") : undefined;
  const before = [...(ours?.keys() ?? (await own?.keys()) ?? [])];
  const meanwhile = ask.get("meanwhile");
  if (meanwhile)
    await (await fetch(meanwhile, { headers: { cookie: headers.get("Cookie") ?? "" } })).arrayBuffer();
  const key = ask.get("key");
  if (key && ours) ours.set(key, true);
  else if (key) own?.set(key, true);
  if (ask.has("logout") && ours) await session.logout();
  else if (ask.has("logout")) own?.destroy();
  return Response.json(before);
};
