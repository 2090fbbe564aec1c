import { getIronSession } from "@sessions/iron-session";
import { cookies } from "next/headers";
import { redirect } from "next/navigation";
import { type Data, options } from "./options.ts";

/** Written as for iron-session: a page that reads, and actions that save and destroy. */
export default async function Page() {
  const session = await getIronSession<Data>(await cookies(), options);

  async function logIn() {
    "use server";
    const session = await getIronSession<Data>(await cookies(), options);
    session.userId = "Ada";
    await session.save();
    redirect("/iron");
  }

  async function logOut() {
    "use server";
    const session = await getIronSession<Data>(await cookies(), options);
    await session.destroy();
    redirect("/iron");
  }

  return (
    <>
      <pre>{JSON.stringify(session)}</pre>
      <form action={logIn}>
        <button type="submit">Log in</button>
      </form>
      <form action={logOut}>
        <button type="submit">Log out</button>
      </form>
    </>
  );
}
