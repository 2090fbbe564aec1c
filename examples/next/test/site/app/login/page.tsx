import { cookies } from "next/headers";
import { notFound, redirect } from "next/navigation";
import { cart, changeSession, readSession } from "../../../../src/session.ts";

/** This page is also rendered in the response to its own action. */
export default async function Page() {
  const { principal } = await readSession();

  async function logIn() {
    "use server";
    await changeSession((session) => session.login("Ada"));
    await changeSession((session) => session.store(cart).set("items", ["tea"]));
    (await cookies()).set("theme", "dark");
  }

  async function redirectInside() {
    "use server";
    await changeSession((session) => {
      session.login("Eve");
      redirect("/login");
    });
  }

  async function throwAfter() {
    "use server";
    await changeSession((session) => session.login("Eve"));
    throw new Error("the action failed");
  }

  async function notFoundAfter() {
    "use server";
    await changeSession((session) => session.login("Eve"));
    notFound();
  }

  return (
    <>
      <p>{principal ?? "Nobody"}</p>
      <form action={logIn}>
        <button type="submit">Log in</button>
      </form>
      <form action={redirectInside}>
        <button type="submit">Redirect inside</button>
      </form>
      <form action={throwAfter}>
        <button type="submit">Throw after</button>
      </form>
      <form action={notFoundAfter}>
        <button type="submit">Not found after</button>
      </form>
    </>
  );
}
