import { cart, readSession } from "../../../../src/session.ts";

/** Rendering cannot write for a visitor without a session. */
export default async function Page() {
  const session = await readSession();
  session.store(cart).set("items", ["page"]);
  await session.commit();
  return <p>Written</p>;
}
