import assert from "node:assert/strict";
import type { BrowserContextOptions, Page } from "playwright-core";
import type { Form } from "./http.ts";

/** The example under test, and browsers to visit it with. */
export interface Shop {
  readonly url: string;
  /** Opens the shop's page in its own browser, which has only the given cookies. */
  visit(options?: BrowserContextOptions & { cookies?: readonly Cookie[] }): Promise<Page>;
}

/** Turns JavaScript off, so that no framework takes the page's forms over. */
export const still = { javaScriptEnabled: false };

/** A cookie as a browser keeps it. */
export type Cookie = Awaited<ReturnType<ReturnType<Page["context"]>["cookies"]>>[number];

export const cookiesOf = (page: Page): Promise<Cookie[]> => page.context().cookies();

/** Returns the browser's cookies as a Cookie header. */
export async function cookieHeader(page: Page): Promise<string> {
  return (await cookiesOf(page)).map(({ name, value }) => `${name}=${value}`).join("; ");
}

export async function add(page: Page, item: string): Promise<void> {
  await page.getByLabel("Item").fill(item);
  await page.getByRole("button", { name: "Add" }).click();
  await page.getByRole("listitem").filter({ hasText: item }).waitFor();
}

export async function logIn(page: Page, name: string): Promise<void> {
  await page.getByLabel("Name").fill(name);
  await page.getByRole("button", { name: "Log in" }).click();
  await isSignedIn(page, name);
}

export async function logOut(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Log out" }).click();
  await isSignedOut(page);
}

export async function isSignedIn(page: Page, name: string): Promise<void> {
  await page.getByText(`Signed in as ${name}`).waitFor();
}

export async function isSignedOut(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Log in" }).waitFor();
  assert.equal(
    await page.getByText("Signed in as").count(),
    0,
    "signed out, and still signed in as somebody",
  );
}

/** Returns the cart that the page shows. */
export async function itemsOf(page: Page): Promise<string[]> {
  await page.getByRole("button", { name: "Add" }).waitFor();
  const texts = await page.getByRole("listitem").allTextContents();
  return texts.map((text) => text.trim());
}

// A text, because this project has no types of a browser. Playwright runs it in the page.
const read = (name: string): string => `(() => {
  const buttons = [...document.querySelectorAll("button")];
  const button = buttons.find(({ textContent }) => textContent.trim() === ${JSON.stringify(name)});
  const { form } = button;
  return {
    action: form.action,
    method: form.method,
    type: form.enctype,
    entries: [...new FormData(form, button)],
  };
})()`;

interface Read {
  action: string;
  method: string;
  type: string;
  entries: [string, string][];
}

/**
 * Returns the filled-in form around that button, with its hidden fields. The page must have no JavaScript, because a
 * framework's script may take the form over.
 */
export async function formOf(page: Page, button: string, values: Record<string, string> = {}): Promise<Form> {
  for (const [label, value] of Object.entries(values)) await page.getByLabel(label).fill(value);
  const { action, method, type, entries } = await page.evaluate<Read>(read(button));
  assert.equal(method, "post", `the form of "${button}" is not posted`);
  const data = new FormData();
  for (const [name, value] of entries) data.append(name, value);
  const multipart = type === "multipart/form-data";
  // A Response encodes both kinds, and sets the content type.
  const encoded = new Response(multipart ? data : new URLSearchParams(entries));
  return {
    action,
    type: encoded.headers.get("content-type") ?? type,
    body: Buffer.from(await encoded.arrayBuffer()),
  };
}
