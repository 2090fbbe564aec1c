import assert from "node:assert/strict";
import type { BrowserContextOptions, Page } from "playwright-core";
import type { Form } from "./http.ts";

/** The example under test, and browsers to visit it with. */
export interface Shop {
  readonly url: string;
  /** The shop's page in a browser of its own, which has no cookies but those. */
  visit(options?: BrowserContextOptions & { cookies?: readonly Cookie[] }): Promise<Page>;
}

/** For a page whose forms no framework takes over. */
export const still = { javaScriptEnabled: false };

/** A cookie as a browser keeps it. */
export type Cookie = Awaited<ReturnType<ReturnType<Page["context"]>["cookies"]>>[number];

export const cookiesOf = (page: Page): Promise<Cookie[]> => page.context().cookies();

/** The cookies of a browser, as the header that it sends. */
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

/** The cart of the page that is shown. */
export async function itemsOf(page: Page): Promise<string[]> {
  await page.getByRole("button", { name: "Add" }).waitFor();
  const texts = await page.getByRole("listitem").allTextContents();
  return texts.map((text) => text.trim());
}

// Text, as the library of browser types is not among ours: Playwright runs it in the page.
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
 * The form around that button, once it is filled in, with its hidden fields. The page is one without JavaScript: that
 * of a framework may take the form over.
 */
export async function formOf(page: Page, button: string, values: Record<string, string> = {}): Promise<Form> {
  for (const [label, value] of Object.entries(values)) await page.getByLabel(label).fill(value);
  const { action, method, type, entries } = await page.evaluate<Read>(read(button));
  assert.equal(method, "post", `the form of "${button}" is not posted`);
  const data = new FormData();
  for (const [name, value] of entries) data.append(name, value);
  const multipart = type === "multipart/form-data";
  // A Response encodes both, and says how.
  const encoded = new Response(multipart ? data : new URLSearchParams(entries));
  return {
    action,
    type: encoded.headers.get("content-type") ?? type,
    body: Buffer.from(await encoded.arrayBuffer()),
  };
}
