import type { Request, Response } from "express";
import { type Html, html, trusted } from "./html.ts";
import { script } from "./script.ts";
import { sessionPanel } from "./session-panel.ts";
import { style } from "./style.ts";

interface PageOptions {
  readonly title: string;
  /** The content below the heading. */
  readonly body: Html;
}

const SECTIONS = [
  { path: "/shop", label: "Shop" },
  { path: "/forum", label: "Forum" },
  { path: "/account", label: "Account" },
];

function frame(path: string, { title, body }: PageOptions, above?: Html, below?: Html): string {
  const link = (section: (typeof SECTIONS)[number]): Html => {
    const here = path === section.path || path.startsWith(`${section.path}/`);
    return html`<a href="${section.path}"${here ? html` aria-current="page"` : ""}>${section.label}</a>`;
  };
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Two apps</title>
<link rel="icon" href="data:,">
<style>${trusted(style)}</style>
</head>
<body>
<header><nav><a class="home" href="/">Two apps</a>${SECTIONS.map(link)}</nav></header>
<main>
${above}
<h1>${title}</h1>
${body}
</main>
${below}
<script>${trusted(script)}</script>
</body>
</html>
`;
  return page.toString();
}

/** Sends a page: the messages, its body, and the session panel. */
export function sendPage(req: Request, res: Response, options: PageOptions): void {
  const messages = req.session
    .flash("notice")
    .map((message) => html`<p class="flash" role="status">${String(message)}</p>`);
  res.send(
    frame(req.originalUrl.split("?", 1)[0] ?? "/", options, html`${messages}`, sessionPanel(req.session)),
  );
}

/** Sends a page without a session, because there may be none, or no backend to read it from. */
export function sendPlainPage(res: Response, status: number, options: PageOptions): void {
  res.status(status).send(frame("", options));
}
