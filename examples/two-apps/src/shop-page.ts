import { catalogue, type Product, price } from "./catalogue.ts";
import { type Html, html } from "./html.ts";
import { picture } from "./pictures.ts";

function productCard({ sku, name, cents }: Product, quantity: number): Html {
  return html`
<li class="card product" id="${sku}">
  ${picture(sku)}
  <strong>${name}</strong>
  <span class="muted">${price(cents)}</span>
  <form method="post" action="/shop/add">
    <button name="sku" value="${sku}" aria-label="Add ${name} to the cart">Add${quantity > 0 ? ` · ${quantity}` : ""}</button>
  </form>
</li>`;
}

function cartLine({ sku, name, cents }: Product, quantity: number): Html {
  return html`
<li class="line">
  <span class="what">${name}<br>
    <span class="muted">${price(cents * quantity)}</span></span>
  <form class="stepper" method="post" action="/shop/change">
    <input type="hidden" name="sku" value="${sku}">
    <button name="to" value="fewer" aria-label="One ${name} fewer">−</button>
    <output aria-label="Quantity">${quantity}</output>
    <button name="to" value="more" aria-label="One ${name} more">+</button>
    <button class="quiet" name="to" value="none" aria-label="Remove ${name}">✕</button>
  </form>
</li>`;
}

function cartCard(lines: readonly { product: Product; quantity: number }[]): Html {
  if (lines.length === 0)
    return html`<section class="card" id="cart"><h2>Cart</h2><p class="muted">Empty so far.</p></section>`;
  const total = lines.reduce((sum, { product, quantity }) => sum + product.cents * quantity, 0);
  return html`
<section class="card" id="cart">
  <h2>Cart <span class="muted">${price(total)}</span></h2>
  <ul class="lines">${lines.map(({ product, quantity }) => cartLine(product, quantity))}</ul>
  <form method="post" action="/shop/order"><button class="primary">Order</button></form>
  <p class="hint">The payment takes three seconds. Sign out in another tab meanwhile: it does not bring you back.</p>
</section>`;
}

export function shopPage(items: Readonly<Record<string, number>>): Html {
  const products = [...catalogue.values()];
  const lines = products.flatMap((product) => {
    const quantity = items[product.sku];
    return quantity === undefined ? [] : [{ product, quantity }];
  });
  return html`
${cartCard(lines)}
<ul class="grid">${products.map((product) => productCard(product, items[product.sku] ?? 0))}</ul>`;
}
