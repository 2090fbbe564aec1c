import { setTimeout } from "node:timers/promises";
import { Suspense } from "react";
import { cart, readSession, sessions } from "../../../../src/session.ts";

/** Continues when the client reports that it has the beginning of the page. */
async function Late() {
  const session = await readSession();
  while (!(await sessions.get(session.id))?.store("client").has("beginning")) await setTimeout(10);
  session.store(cart).update("items", (items = []) => [...items, "late"]);
  await session.commit();
  return <p>Written</p>;
}

export default function Page() {
  return (
    <>
      <h1>Early</h1>
      <Suspense fallback={<p>Wait</p>}>
        <Late />
      </Suspense>
    </>
  );
}
