import type { SessionInfo } from "@sessions/core";
import { type Html, html } from "./html.ts";
import { shortId } from "./session-panel.ts";

function signInForm(next: string, label: string): Html {
  return html`
<form class="stack" method="post" action="/account/sign-in">
  <input type="hidden" name="next" value="${next}">
  <label>Name <input name="name" required maxlength="40" autocomplete="username" autocapitalize="off" spellcheck="false"></label>
  <button class="primary">${label}</button>
</form>`;
}

export function signInPage(next: string): Html {
  return html`
<section class="card">
  <p>Any name will do: this is about sessions, not passwords.</p>
  ${signInForm(next, "Sign in")}
  <p class="hint">Your cart and your drafts come along. The cookie changes, and who had copied the old one has nothing.</p>
</section>`;
}

export const signedOutPage: Html = html`
<section class="card">
  <p class="lead">Your session has ended, and its cookie with it.</p>
  <p>A request that is still on its way can neither bring it back nor write into it.</p>
  <p><a class="button primary" href="/account">Sign in again</a></p>
</section>`;

const moment = (at: Date): Html =>
  html`<time datetime="${at.toISOString()}">${at.toISOString().slice(0, 16).replace("T", " ")}</time>`;

function sessionCard({ id, createdAt, expiresAt, stores }: SessionInfo, current: boolean): Html {
  // Messages that were not shown yet belong to no application.
  const names = stores.filter((name) => name !== "flash");
  const end = html`
  <form method="post" action="/account/end">
    <button name="id" value="${id}" aria-label="End session ${shortId(id)}">End</button>
  </form>`;
  return html`
<li class="session${current ? " current" : ""}">
  <div>
    <p><code>${shortId(id)}</code> ${current ? html`<span class="badge">this one</span>` : ""}</p>
    <p class="muted">signed in ${moment(createdAt)}<br>expires ${moment(expiresAt)} UTC</p>
    <ul class="chips">${names.length > 0 ? names.map((name) => html`<li>${name}</li>`) : html`<li>empty</li>`}</ul>
  </div>
  ${current ? "" : end}
</li>`;
}

export function accountPage(user: string, current: string, sessions: readonly SessionInfo[]): Html {
  const rank = (info: SessionInfo): number => (info.id === current ? Infinity : info.createdAt.getTime());
  const sorted = sessions.toSorted((a, b) => rank(b) - rank(a));
  return html`
<section class="card">
  <p>Everywhere that <strong>${user}</strong> is signed in:</p>
  <ul class="rows">${sorted.map((info) => sessionCard(info, info.id === current))}</ul>
  <div class="actions">
    <form method="post" action="/account/sign-out"><button class="primary">Sign out here</button></form>
    <form method="post" action="/account/end-others"><button>End the others</button></form>
    <form method="post" action="/account/end-all"><button class="danger">Log out everywhere</button></form>
  </div>
</section>
<details class="card">
  <summary>Sign in as someone else</summary>
  ${signInForm("/account", "Switch")}
  <p class="hint">This session ends, and what it holds is not handed on.</p>
</details>`;
}
