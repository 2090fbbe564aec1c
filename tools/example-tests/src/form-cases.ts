import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { type Answer, begin, get, send } from "./http.ts";
import type { Case } from "./test-example.ts";
import { add, cookieHeader, formOf, isSignedOut, itemsOf, logIn, still } from "./visitor.ts";

/** Bodies with their content types. */
const notForms = [
  ["multipart/form-data; boundary=x", "garbage"],
  ["multipart/form-data", "garbage"],
  ["application/json", '{"name":["Mallory"],"item":["honey"]}'],
  ["application/json", '{"name":'],
] as const;

/** Sends the bodies to the address of each form that has fields. */
async function sendNotForms(page: Page): Promise<(Answer & { sent: string })[]> {
  const cookie = await cookieHeader(page);
  const answers: (Answer & { sent: string })[] = [];
  for (const button of ["Add", "Log in"]) {
    const { action } = await formOf(page, button);
    for (const [type, text] of notForms) {
      const answer = await send({ action, type, body: Buffer.from(text) }, cookie);
      answers.push({ ...answer, sent: `${text} as ${type} for "${button}"` });
    }
  }
  return answers;
}

/** The behaviour of every example with forms that are sent without a browser. */
export const formCases: readonly Case[] = [
  {
    title: "every form answers 303 and leads back to the page",
    async run({ url, visit }) {
      const page = await visit(still);
      const submit = async (button: string, values: Record<string, string> = {}): Promise<void> => {
        const { status, headers } = await send(await formOf(page, button, values), await cookieHeader(page));
        assert.equal(status, 303, button);
        assert.equal(new URL(headers.location ?? "", url).href, `${url}/`, button);
      };
      await submit("Add", { Item: "tea" });
      await submit("Log in", { Name: "Ada" });
      await logIn(page, "Ada");
      await submit("Log out");
    },
  },
  {
    title: "names and items that are empty or too long are ignored",
    async run({ visit }) {
      const page = await visit(still);
      await add(page, "tea");
      for (const value of ["", "  ", "x".repeat(1000)]) {
        for (const form of [
          await formOf(page, "Add", { Item: value }),
          await formOf(page, "Log in", { Name: value }),
        ])
          assert.equal((await send(form, await cookieHeader(page))).status, 303);
        await page.goto("/");
        await isSignedOut(page);
        assert.deepEqual(await itemsOf(page), ["tea"]);
      }
    },
  },
  {
    title: "a body that is no form, or a broken one, changes nothing",
    async run({ visit }) {
      const page = await visit(still);
      await add(page, "tea");
      for (const { headers } of await sendNotForms(page)) assert.equal(headers["set-cookie"], undefined);
      await page.goto("/");
      await isSignedOut(page);
      assert.deepEqual(await itemsOf(page), ["tea"]);
    },
  },
  {
    title: "a body that is no form, or a broken one, is no error of the program",
    async run({ visit }) {
      for (const { status, sent } of await sendNotForms(await visit(still)))
        assert.ok(status < 500, `${status} to ${sent}`);
    },
  },
  {
    title: "ten forms at once put ten items into the cart",
    async run({ url, visit }) {
      const page = await visit(still);
      await add(page, "tea");
      const cookie = await cookieHeader(page);
      const items = Array.from({ length: 10 }, (_, n) => `item ${n}`);
      const ends: Awaited<ReturnType<typeof begin>>[] = [];
      for (const item of items) ends.push(await begin(await formOf(page, "Add", { Item: item }), cookie));
      // After this response, the program has seen the beginning of every form.
      await get(`${url}/`, cookie);
      const answers = await Promise.all(ends.map((end) => end()));
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [303]);
      await page.goto("/");
      const [first, ...others] = await itemsOf(page);
      assert.equal(first, "tea");
      assert.deepEqual(others.toSorted(), items);
    },
  },
  {
    title: "another site's form logs nobody in",
    async run({ visit }) {
      const form = await formOf(await visit(still), "Log in", { Name: "Mallory" });
      // Such a form comes without a cookie. A page in a sandbox sends the origin `null`.
      for (const origin of ["https://elsewhere.example", "null"]) {
        const { status, headers } = await send(form, "", { origin, "sec-fetch-site": "cross-site" });
        assert.ok(status >= 400, `${status} to a form from ${origin}`);
        assert.equal(headers["set-cookie"], undefined, origin);
      }
      const { status, headers } = await send(form, "");
      assert.equal(status, 303);
      assert.notEqual(headers["set-cookie"], undefined, "the shop's own form would log nobody in either");
    },
  },
];
