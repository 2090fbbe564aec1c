import { SESSION_ENDED } from "./ws.ts";

interface Shown {
  /** The library that makes the page live. */
  readonly library: "ws" | "socket.io";
  readonly user: string | undefined;
  readonly items: readonly string[];
  /** Whether there is a session for a socket. */
  readonly isLive: boolean;
}

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** The whole page. Its forms work without scripts. With a socket, "Add" uses the socket. */
export function page({ library, user, items, isLive }: Shown): string {
  const account =
    user === undefined
      ? `<form method="post" action="/login"><label>Name <input name="name" required></label> <button>Log in</button></form>`
      : `<p>Signed in as ${escapeHtml(user)}</p><form method="post" action="/logout"><button>Log out</button></form>`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8"><title>Shop</title>
<h1>Shop</h1>
${account}
<form id="add" method="post" action="/cart"><label>Item <input name="item" required></label> <button>Add</button></form>
<ul>${items.map((item) => `<li>${escapeHtml(item)}</li>`).join("")}</ul>
<p role="status"></p>
<p><button id="look" hidden>Look again</button></p>
${isLive ? scripts[library] : ""}
</html>
`;
}

/** The part that both scripts share: each defines `send`, and calls `show` with the server's messages. */
const common = `
const form = document.getElementById("add");
const look = document.getElementById("look");
const status = document.querySelector("[role=status]");
function show({ items, problem }) {
  status.textContent = problem ?? "Live";
  look.hidden = false;
  if (!items) return;
  document.querySelector("ul").replaceChildren(...items.map((item) => {
    const li = document.createElement("li");
    li.textContent = item;
    return li;
  }));
}
function talk(send) {
  look.onclick = () => send({});
  form.onsubmit = (event) => {
    event.preventDefault();
    send({ add: new FormData(form).get("item") });
    form.reset();
  };
}
// Reload to show what the cookie opens now: nothing after a logout, another session after a login. Wait a moment: the
// response with the new cookie may come to another tab, and after the end of this socket.
const ended = () => setTimeout(() => location.reload(), 500);
`;

const scripts = {
  ws: `<script>${common}
function connect() {
  const socket = new WebSocket(location.origin.replace("http", "ws") + "/live");
  socket.onmessage = ({ data }) => show(JSON.parse(data));
  socket.onclose = ({ code }) => {
    status.textContent = "Not connected";
    if (code === ${SESSION_ENDED}) ended();
    else setTimeout(reconnect, 1000);
  };
  talk((message) => socket.send(JSON.stringify(message)));
}
async function reconnect() {
  const answer = await fetch("/session").catch(() => undefined);
  if (answer?.status === 401) ended();
  else connect();
}
connect();
</script>`,
  "socket.io": `<script src="/socket.io/socket.io.min.js"></script><script>${common}
const socket = io();
socket.on("cart", show);
socket.on("disconnect", (reason) => {
  status.textContent = "Not connected";
  if (reason === "io server disconnect") ended();
});
socket.on("connect_error", async () => {
  const answer = await fetch("/session").catch(() => undefined);
  if (answer?.status === 401) ended();
});
talk((message) => socket.emit("cart", message));
</script>`,
};
