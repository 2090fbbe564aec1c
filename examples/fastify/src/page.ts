/** The data that the page shows. */
export interface Shown {
  readonly user: string | undefined;
  readonly message: string | undefined;
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

export function page({ user, message, items, downloaded }: Shown): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Shop</title>
<h1>Shop</h1>
${message === undefined ? "" : `<p role="status">${escaped(message)}</p>`}
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
