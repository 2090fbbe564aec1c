import type { RequestHandler } from "express";
import { html } from "./html.ts";
import { sendPage } from "./page.ts";
import { picture } from "./pictures.ts";

const body = html`
<p class="lead">A shop and a forum, written apart, that share one session. Neither can touch what the other keeps.</p>
<ul class="grid">
  <li><a class="card tile" href="/shop">${picture("basket")}<strong>Shop</strong>
    <span class="muted">A cart that loses nothing</span></a></li>
  <li><a class="card tile" href="/forum">${picture("pen")}<strong>Forum</strong>
    <span class="muted">Drafts that save themselves</span></a></li>
</ul>
<section class="card">
  <h2>Things to try</h2>
  <ol>
    <li>Look around: no cookie comes until you put something into the cart.</li>
    <li>Sign in. Your cart comes along; sign in as someone else, and it does not.</li>
    <li>Write two drafts in two tabs, at once.</li>
    <li>Sign in from your phone too, and log out everywhere.</li>
  </ol>
</section>`;

export const home: RequestHandler = (req, res) =>
  sendPage(req, res, { title: "Two apps, one session", body });
