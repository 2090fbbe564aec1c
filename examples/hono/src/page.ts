import { html } from "hono/html";

type Html = ReturnType<typeof html>;

/** The data that the page shows. */
export interface Shown {
  readonly user: string | undefined;
  readonly messages: readonly unknown[];
  readonly items: readonly string[];
  readonly downloaded: number | undefined;
}

const signedOut = html`<form method="post" action="/login">
  <label>Name <input name="name" autocomplete="username"></label>
  <button>Log in</button>
</form>`;

const signedIn = (user: string): Html => html`<form method="post" action="/logout">
  Signed in as ${user}
  <button>Log out</button>
</form>`;

/** The whole page. `html` escapes what visitors wrote. */
export function page({ user, messages, items, downloaded }: Shown): Html {
  return html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Shop</title>
<h1>Shop</h1>
${messages.map((message) => html`<p role="status">${String(message)}</p>`)}
${user === undefined ? signedOut : signedIn(user)}
<form method="post" action="/cart">
  <label>Item <input name="item" autocomplete="off"></label>
  <button>Add</button>
</form>
<ul>${items.map((item) => html`<li>${item}</li>`)}</ul>
<p><a href="/cart.txt">Download</a></p>
${downloaded === undefined ? "" : html`<p>Downloaded: ${downloaded}</p>`}
</html>
`;
}
