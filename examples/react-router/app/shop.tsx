import { Form, redirect } from "react-router";
import type { Route } from "./+types/shop";
import { cart, sessionContext } from "./sessions.server.ts";

export function loader({ context }: Route.LoaderArgs) {
  const session = context.get(sessionContext);
  const store = session.store(cart);
  return {
    user: session.principal,
    messages: session.flash("message"), // shown once
    items: store.get("items") ?? [],
    downloaded: store.get("downloaded"),
  };
}

/** Returns a field's text, or `undefined` if it is empty, too long, or no text. */
function written(value: File | string | null | undefined): string | undefined {
  const text = typeof value === "string" ? value.trim() : "";
  return /^[^\p{Cc}\p{Cs}]{1,50}$/u.test(text) ? text : undefined;
}

export async function action({ request, context }: Route.ActionArgs) {
  const session = context.get(sessionContext);
  // Treat a body that is no form, or a broken one, as an empty form.
  const form = await request.formData().catch(() => undefined);
  const item = written(form?.get("item"));
  const name = written(form?.get("name"));
  // Runs again if another request wrote in between, so no item is lost.
  if (item) session.store(cart).update("items", (items = []) => [...items, item]);
  if (name) {
    session.login(name); // a new id and cookie; the cart is kept
    session.flash("message", `Welcome, ${name}.`);
  }
  if (form?.has("logout")) await session.logout();
  return redirect("/", 303); // sent after all of that is stored
}

export default function Shop({ loaderData: { user, messages, items, downloaded } }: Route.ComponentProps) {
  return (
    <main>
      <h1>Shop</h1>
      {messages.length > 0 && <p role="status">{messages.join(" ")}</p>}
      {user === undefined ? (
        <Form method="post">
          <label>
            Name <input name="name" autoComplete="username" />
          </label>{" "}
          <button type="submit">Log in</button>
        </Form>
      ) : (
        <Form method="post">
          <input type="hidden" name="logout" />
          Signed in as {user} <button type="submit">Log out</button>
        </Form>
      )}
      <Form method="post" key={items.length}>
        <label>
          Item <input name="item" autoComplete="off" />
        </label>{" "}
        <button type="submit">Add</button>
      </Form>
      <ul>
        {items.map((item, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: items may be equal, and none moves.
          <li key={place}>{item}</li>
        ))}
      </ul>
      <a href="/cart.txt">Download</a>
      {downloaded !== undefined && <p>Downloaded: {downloaded}</p>}
    </main>
  );
}
