interface Shown {
  readonly name: string | undefined;
  readonly messages: readonly unknown[];
  readonly items: readonly string[];
  readonly downloaded: number | undefined;
}

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** The whole page. It escapes what visitors wrote. */
export function page({ name, messages, items, downloaded }: Shown): string {
  const account =
    name === undefined
      ? `<form method="post" action="/login"><label>Name <input name="name" required></label> <button>Log in</button></form>`
      : `<p>Signed in as ${escapeHtml(name)}</p><form method="post" action="/logout"><button>Log out</button></form>`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8"><title>Shop</title>
<h1>Shop</h1>
${messages.map((message) => `<p role="status">${escapeHtml(String(message))}</p>`).join("")}
${account}
<form method="post" action="/items"><label>Item <input name="item" required></label> <button>Add</button></form>
<ul>${items.map((item) => `<li>${escapeHtml(item)}</li>`).join("")}</ul>
<p><a href="/cart.txt" download>Download</a></p>
${downloaded === undefined ? "" : `<p>Downloaded: ${downloaded}</p>`}
</html>
`;
}
