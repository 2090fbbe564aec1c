/** The data that the page shows. */
export interface Shown {
  readonly user: string | undefined;
  readonly messages: readonly unknown[];
  readonly items: readonly string[];
  readonly downloaded: number | undefined;
}

/** Escapes a visitor's text for HTML. */
const escaped = (text: string): string => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);

const signedOut = `<form method="post" action="/login">
  <label>Name <input name="name" autocomplete="username"></label>
  <button>Log in</button>
</form>`;

const signedIn = (user: string): string => `<form method="post" action="/logout">
  Signed in as ${escaped(user)}
  <button>Log out</button>
</form>`;

export function page({ user, messages, items, downloaded }: Shown): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Shop</title>
<h1>Shop</h1>
${messages.map((message) => `<p role="status">${escaped(String(message))}</p>`).join("")}
${user === undefined ? signedOut : signedIn(user)}
<form method="post" action="/cart">
  <label>Item <input name="item" autocomplete="off"></label>
  <button>Add</button>
</form>
<ul>${items.map((item) => `<li>${escaped(item)}</li>`).join("")}</ul>
<p><a href="/cart.txt">Download</a></p>
${downloaded === undefined ? "" : `<p>Downloaded: ${downloaded}</p>`}
</html>
`;
}
