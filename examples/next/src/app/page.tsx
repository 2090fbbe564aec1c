import { cart, readSession } from "../session.ts";
import { add, logIn, logOut } from "./actions.ts";

export default async function Page() {
  const session = await readSession();
  const items = session.store(cart).get("items") ?? [];
  const downloaded = session.store(cart).get("downloaded");
  // If there is a message to take, the visitor has a session, so the commit needs no cookie.
  const messages = session.flash("message");
  await session.commit();

  return (
    <>
      <h1>Shop</h1>
      {messages.length > 0 && <p role="status">{messages.join(" ")}</p>}
      {session.principal === undefined ? (
        <form action={logIn}>
          <label>
            Name <input name="name" />
          </label>
          <button type="submit">Log in</button>
        </form>
      ) : (
        <form action={logOut}>
          <p>Signed in as {session.principal}</p>
          <button type="submit">Log out</button>
        </form>
      )}
      <form action={add}>
        <label>
          Item <input name="item" />
        </label>
        <button type="submit">Add</button>
      </form>
      <ul>
        {items.map((item, n) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: items may be equal, and none moves
          <li key={n}>{item}</li>
        ))}
      </ul>
      {/* Not <Link>, which would fetch it in advance. */}
      <a href="/download">Download</a>
      {downloaded !== undefined && <p>Downloaded: {downloaded}</p>}
    </>
  );
}
