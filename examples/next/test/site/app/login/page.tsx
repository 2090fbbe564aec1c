import { cookies } from "next/headers";
import { redirect } from "next/navigation";
import { cart, changeSession, readSession } from "../../../../src/session.ts";

/** Rendered in the response to its own action, too. */
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

  return (
    <>
      <p>{principal ?? "Nobody"}</p>
      <form action={logIn}>
        <button type="submit">Log in</button>
      </form>
      <form action={redirectInside}>
        <button type="submit">Redirect inside</button>
      </form>
    </>
  );
}
