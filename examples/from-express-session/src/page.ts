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

/** The only page of the site. The move does not change it. */
export function page(user: string | undefined, items: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Shop</title>
<h1>Shop</h1>
${user === undefined ? signedOut : signedIn(user)}
<form method="post" action="/cart">
  <label>Item <input name="item" autocomplete="off"></label>
  <button>Add</button>
</form>
<ul>${items.map((item) => `<li>${escaped(item)}</li>`).join("")}</ul>
</html>
`;
}

/** Returns a field's text, or `undefined` if it is empty, too long, or no text. */
export function written(body: unknown, field: string): string | undefined {
  const value = new Map<string, unknown>(Object.entries(body ?? {})).get(field);
  const text = typeof value === "string" ? value.trim() : "";
  return /^[^\p{Cc}\p{Cs}]{1,50}$/u.test(text) ? text : undefined;
}
