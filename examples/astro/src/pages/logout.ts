import type { APIRoute } from "astro";

export const POST: APIRoute = async ({ locals: { session }, redirect }) => {
  await session.logout();
  return redirect("/", 303);
};
