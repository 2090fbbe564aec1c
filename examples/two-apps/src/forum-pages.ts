import { type Html, html } from "./html.ts";

export interface Draft {
  readonly title: string;
  readonly text: string;
  readonly savedAt: Date;
}

export interface Post {
  readonly author: string;
  readonly title: string;
  readonly text: string;
  readonly at: Date;
}

const time = (at: Date): Html =>
  html`<time datetime="${at.toISOString()}">${at.toISOString().slice(11, 16)} UTC</time>`;

function draftLine(id: string, { title, savedAt }: Draft): Html {
  return html`
<li><a class="row" href="/forum/drafts/${id}">
  <span>${title || "Untitled"}</span> <span class="muted">saved ${time(savedAt)}</span>
</a></li>`;
}

function postCard({ author, title, text, at }: Post): Html {
  return html`
<article class="card">
  <h2>${title}</h2>
  <p class="text">${text}</p>
  <p class="muted">${author}, ${time(at)}</p>
</article>`;
}

export function forumPage(posts: readonly Post[], drafts: readonly (readonly [string, Draft])[]): Html {
  const newestFirst = drafts.toSorted(([, a], [, b]) => b.savedAt.getTime() - a.savedAt.getTime());
  return html`
<section class="card">
  <h2>Your drafts</h2>
  ${drafts.length > 0 ? html`<ul class="rows">${newestFirst.map(([id, draft]) => draftLine(id, draft))}</ul>` : ""}
  <p><a class="button primary" href="/forum/new">Write something</a></p>
  <p class="hint">Open it in two tabs and write in both: each draft is an entry of its own, so neither is lost.</p>
</section>
${posts.map(postCard)}`;
}

export function draftPage(id: string, draft: Draft | undefined, user: string | undefined): Html {
  const action = (name: string): string => `/forum/drafts/${id}/${name}`;
  return html`
<form class="card stack" method="post" action="${action("save")}" data-autosave="${action("autosave")}">
  <label>Title <input name="title" maxlength="120" value="${draft?.title}" autocomplete="off"></label>
  <label>Text <textarea name="text" rows="9" maxlength="4000">
${draft?.text}</textarea></label>
  <p class="muted" data-saved role="status">${draft && html`Saved ${time(draft.savedAt)}`}</p>
  <div class="actions">
    <button class="primary" formaction="${action("post")}">${user ? `Post as ${user}` : "Sign in and post"}</button>
    <button>Save for later</button>
    <button class="quiet" formaction="${action("discard")}">Discard</button>
  </div>
</form>`;
}
