import { cart, readSession } from "../../../../src/session.ts";

/** What rendering cannot do for a visitor who has no session yet. */
export default async function Page() {
  const session = await readSession();
  session.store(cart).set("items", ["page"]);
  await session.commit();
  return <p>Written</p>;
}
