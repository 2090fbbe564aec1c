import { EventEmitter, once } from "node:events";
import { describe, expect, test, vi } from "vitest";
import { catalogue } from "../src/catalogue.ts";
import { startSite } from "./start.ts";

const draftId = (n: number): string => n.toString(16).padStart(12, "0");
const saveDraft = "/forum/drafts/0000000000aa/save";

const total = (price: string): string => `Cart <span class="muted">${price}<`;

/** A payment that lasts until the test says that it is through. */
async function bankAnswers(bank: EventEmitter): Promise<void> {
  const paid = once(bank, "paid");
  bank.emit("asked");
  await paid;
}

describe("a guest", () => {
  test("who only looks gets no cookie, and costs the backend nothing", async () => {
    const { visitor, backend } = await startSite();
    const guest = visitor();
    for (const path of [
      "/",
      "/shop",
      "/forum",
      "/account",
      "/forum/drafts/0000000000aa",
      "/nowhere",
      "/session.json",
    ]) {
      const response = await guest.get(path);
      expect(response.headers.getSetCookie(), path).toEqual([]);
      expect(response.status, path).toBe(path === "/nowhere" ? 404 : 200);
    }
    expect(backend.calls).toEqual([]);
    expect(await guest.session()).toBeNull();
  });

  test("gets one with the first thing in the cart: HttpOnly, SameSite, never cached", async () => {
    const { visitor, backend } = await startSite();
    const guest = visitor();
    const response = await guest.post("/shop/add", { sku: "tea" });
    expect(response.headers.getSetCookie()).toEqual([expect.stringMatching(/^sid=.+HttpOnly.*SameSite=Lax/)]);
    expect(response.headers.get("cache-control")).toContain("no-store");
    expect(backend.calls).toEqual(["create"]);
    expect(await guest.page("/shop")).toContain("Mountain tea");
  });
});

describe("the shop", () => {
  test("counts up and down, removes, and keeps no empty cart", async () => {
    const { visitor } = await startSite();
    const guest = visitor();
    await guest.submit("/shop/add", { sku: "tea" });
    await guest.submit("/shop/change", { sku: "tea", to: "more" });
    expect(await guest.submit("/shop/change", { sku: "tea", to: "more" })).toContain("€20.70");
    expect(await guest.submit("/shop/change", { sku: "tea", to: "fewer" })).toContain("€13.80");
    await guest.submit("/shop/add", { sku: "pears" });
    expect(await guest.submit("/shop/change", { sku: "tea", to: "none" })).toContain(total("€3.50"));
    expect(await guest.submit("/shop/change", { sku: "pears", to: "fewer" })).toContain("Empty so far.");
    expect((await guest.session())?.stores).toEqual([]);
  });

  test.each(["__proto__", "constructor", "nothing of ours", ""])(
    "does not know the product %j",
    async (sku) => {
      const { visitor } = await startSite();
      const guest = visitor();
      expect((await guest.post("/shop/add", { sku })).status).toBe(303);
      expect((await guest.post("/shop/change", { sku: "tea", to: sku })).status).toBe(303);
      expect(guest.cookies.size).toBe(0);
    },
  );

  test("takes out of the cart what was paid for, and nothing that came in meanwhile", async () => {
    const bank = new EventEmitter();
    const { visitor } = await startSite({ pay: () => bankAnswers(bank) });
    const guest = visitor();
    await guest.submit("/shop/add", { sku: "tea" });
    await guest.submit("/shop/add", { sku: "honey" });
    const asked = once(bank, "asked");
    const order = guest.submit("/shop/order");
    await asked;
    await guest.submit("/shop/add", { sku: "tea" });
    await guest.submit("/shop/add", { sku: "pears" });
    bank.emit("paid");
    expect(await order).toContain("Thank you!");
    expect(await guest.page("/shop")).toContain(total("€10.40"));
    expect(await guest.page("/shop")).toContain("Remove Mountain tea");
  });

  test("and the forum never see each other's part of the session", async () => {
    const { visitor } = await startSite();
    const guest = visitor();
    await guest.submit("/shop/add", { sku: "tea" });
    await guest.submit(saveDraft, { title: "On tea", text: "…" });
    expect((await guest.session())?.stores).toEqual([
      { name: "cart", entries: 1 },
      { name: "drafts", entries: 1 },
    ]);
    expect(await guest.submit("/forum/drafts/0000000000aa/discard")).toContain("Draft discarded.");
    expect(await guest.page("/shop")).toContain(total("€6.90"));
  });
});

test.each(["/forum/drafts/__proto__", "/forum/drafts/1", "/forum/drafts/0000000000aa/burn"])(
  "there is no %s",
  async (path) => {
    const { visitor } = await startSite();
    const guest = visitor();
    expect((await guest.get(path)).status).toBe(404);
    expect((await guest.post(path.endsWith("burn") ? path : `${path}/save`, { title: "x" })).status).toBe(
      404,
    );
    expect(guest.cookies.size).toBe(0);
  },
);

test("a message is shown once", async () => {
  const { visitor } = await startSite();
  const guest = visitor();
  expect(await guest.submit(saveDraft, { title: "Once", text: "" })).toContain("Draft saved.");
  expect(await guest.page("/forum")).not.toContain("Draft saved.");
});

describe("signing in", () => {
  test("keeps the cart and the drafts, and makes the old cookie worthless", async () => {
    const { visitor } = await startSite();
    const ada = visitor();
    await ada.submit("/shop/add", { sku: "honey" });
    await ada.submit(saveDraft, { title: "Kept", text: "" });
    const thief = ada.copy();
    const before = ada.cookies.get("sid");

    expect(await ada.signIn("ada")).toContain("Welcome, ada.");
    expect(ada.cookies.get("sid")).not.toBe(before);
    expect(await ada.page("/shop")).toContain("€12.50");
    expect(await ada.page("/forum")).toContain("Kept");
    expect(await thief.session()).toBeNull();
    expect(await thief.page("/shop")).toContain("Empty so far.");
  });

  test("as someone else hands nothing on", async () => {
    const { visitor } = await startSite();
    const browser = visitor();
    await browser.signIn("ada");
    await browser.submit("/shop/add", { sku: "honey" });
    await browser.submit(saveDraft, { title: "Ada's secret", text: "" });
    await browser.signIn("eve");
    expect((await browser.session())?.principal).toBe("eve");
    expect(await browser.page("/shop")).toContain("Empty so far.");
    expect(await browser.page("/forum")).not.toContain("Ada&#39;s secret");
  });

  test("goes on where the visitor was, with the draft that wanted posting", async () => {
    const { visitor } = await startSite();
    const guest = visitor();
    const page = await guest.submit("/forum/drafts/0000000000aa/post", { title: "Mine", text: "Words" });
    expect(page).toContain("Sign in to post. Your draft is kept.");
    const next = "/forum/drafts/0000000000aa";
    expect(page).toContain(`name="next" value="${next}"`);
    expect(await guest.submit("/account/sign-in", { name: "ada", next })).toContain('value="Mine"');
    expect(await guest.submit("/forum/drafts/0000000000aa/post", { title: "Mine", text: "Words" })).toContain(
      "Posted.",
    );
    expect(await visitor().page("/forum")).toContain("Words");
  });

  test.each([
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "/.//evil.example",
    "/\t/evil.example",
    "javascript:alert(1)",
  ])("never leads to %j", async (next) => {
    const { visitor } = await startSite();
    const response = await visitor().post("/account/sign-in", { name: "ada", next });
    expect(response.headers.get("location")).toBe("/account");
  });

  test.each(["", "   ", "\0", "a\nb", "x".repeat(41)])("refuses the name %j", async (name) => {
    const { visitor } = await startSite();
    const guest = visitor();
    expect(await guest.signIn(name)).toContain("A name has 1 to 40 characters.");
    expect((await guest.session())?.principal).toBeUndefined();
  });
});

describe("many requests at once", () => {
  test("add to one cart, and none is lost", async () => {
    const { visitor, backend } = await startSite();
    const guest = visitor();
    const skus = [...catalogue.keys()];
    await guest.post("/shop/add", { sku: "tea" });
    backend.gather(100);
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, n) => guest.post("/shop/add", { sku: skus[n % skus.length] ?? "" })),
    );
    expect(answers.filter(({ status }) => status !== 303)).toEqual([]);
    const page = await guest.page("/shop");
    const quantities = [...page.matchAll(/<output[^>]*>(\d+)</g)].map(([, quantity]) => Number(quantity));
    expect(quantities).toEqual([14, 13, 13, 13, 12, 12, 12, 12]);
  });

  test("count one product up, and none is lost", async () => {
    const { visitor, backend } = await startSite();
    const guest = visitor();
    await guest.post("/shop/add", { sku: "tea" });
    backend.gather(100);
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => guest.post("/shop/change", { sku: "tea", to: "more" })),
    );
    expect(answers.filter(({ status }) => status !== 303)).toEqual([]);
    expect(await guest.page("/shop")).toMatch(/<output[^>]*>101</);
  });

  test("save a hundred drafts from a hundred tabs, while the cart changes too, and none is lost", async () => {
    const { visitor, backend } = await startSite();
    const guest = visitor();
    await guest.post("/shop/add", { sku: "tea" });
    backend.gather(101);
    const [, ...answers] = await Promise.all([
      guest.post("/shop/add", { sku: "tea" }),
      ...Array.from({ length: 100 }, (_, n) =>
        guest.post(`/forum/drafts/${draftId(n)}/autosave`, { title: `Draft ${n}.`, text: "" }),
      ),
    ]);
    expect(answers.filter(({ status }) => status !== 204)).toEqual([]);
    const page = await guest.page("/forum");
    for (let n = 0; n < 100; n++) expect(page).toContain(`Draft ${n}.`);
    expect(await guest.page("/shop")).toContain(total("€13.80"));
  });
});

describe("signing out", () => {
  test("ends the session, and says so without beginning another", async () => {
    const { visitor } = await startSite();
    const ada = visitor();
    await ada.signIn("ada");
    const thief = ada.copy();
    expect(await ada.submit("/account/sign-out")).toContain("Signed out");
    expect(ada.cookies.size).toBe(0);
    expect(await ada.session()).toBeNull();
    expect(await thief.session()).toBeNull();
  });

  test("is not undone by a slow request in flight", async () => {
    const bank = new EventEmitter();
    const started = once(bank, "asked");
    const { visitor, backend } = await startSite({ pay: () => bankAnswers(bank) });
    const ada = visitor();
    await ada.signIn("ada");
    await ada.submit("/shop/add", { sku: "tea" });
    const tab = ada.copy();

    const order = tab.post("/shop/order");
    await started;
    await ada.submit("/account/sign-out");
    bank.emit("paid");

    const response = await order;
    expect(response.status).toBe(303);
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(await tab.session()).toBeNull();
    // Nor does what the tab sends next: its cookie was ended a moment ago.
    const creations = backend.calls.filter((call) => call === "create").length;
    expect((await tab.post("/shop/add", { sku: "tea" })).headers.getSetCookie()).toEqual([]);
    expect((await tab.post("/forum/drafts/0000000000aa/autosave", { title: "Late" })).status).toBe(409);
    expect(backend.calls.filter((call) => call === "create").length).toBe(creations);
  });
});

describe("your sessions", () => {
  test("are listed with what they hold, this one marked", async () => {
    const { visitor } = await startSite();
    const [laptop, phone, stranger] = [visitor(), visitor(), visitor()];
    await stranger.signIn("eve");
    await phone.submit("/shop/add", { sku: "tea" });
    await phone.signIn("ada");
    await laptop.signIn("ada");

    const page = await laptop.page("/account");
    const [here, there, other] = await Promise.all([laptop, phone, stranger].map((each) => each.session()));
    expect(page).toMatch(new RegExp(`${here?.id}</code> <span class="badge">this one`));
    expect(page).toContain(`End session ${there?.id}`);
    expect(page).toContain("<li>cart</li>");
    expect(page).not.toContain(other?.id);
  });

  test("end one by one, others' never", async () => {
    const { visitor } = await startSite();
    const [laptop, phone, stranger] = [visitor(), visitor(), visitor()];
    for (const device of [laptop, phone]) await device.signIn("ada");
    const [, id = ""] = /name="id" value="([0-9a-f]{32})"/.exec(await laptop.page("/account")) ?? [];

    await stranger.signIn("eve");
    expect(await stranger.submit("/account/end", { id })).toContain("That session had ended already.");
    expect((await phone.session())?.principal).toBe("ada");

    expect(await laptop.submit("/account/end", { id })).toContain("has ended.");
    expect(await phone.session()).toBeNull();
    expect((await laptop.session())?.principal).toBe("ada");
    expect(await laptop.submit("/account/end", { id: "no id at all" })).toContain("had ended already");
  });

  test("all others end at once, or all", async () => {
    const { visitor } = await startSite();
    const [laptop, phone, tablet, stranger] = [visitor(), visitor(), visitor(), visitor()];
    for (const device of [laptop, phone, tablet]) await device.signIn("ada");
    await stranger.signIn("eve");
    expect(await laptop.submit("/account/end-others")).toContain("2 other sessions have ended.");
    expect(await phone.session()).toBeNull();
    expect((await laptop.session())?.principal).toBe("ada");

    await phone.signIn("ada");
    expect((await laptop.get("/account/signed-out")).headers.get("location")).toBe("/account");
    expect(await laptop.submit("/account/end-all")).toContain("Signed out");
    for (const device of [laptop, phone, tablet]) expect(await device.session()).toBeNull();
    expect((await stranger.session())?.principal).toBe("eve");
  });

  test("are nobody's who is not signed in", async () => {
    const { visitor } = await startSite();
    for (const action of ["end", "end-others", "end-all"])
      expect((await visitor().post(`/account/${action}`)).headers.get("location")).toBe("/account");
  });
});

describe("hostile visitors", () => {
  test("cut no letter in two", async () => {
    const { visitor } = await startSite();
    const mallory = visitor();
    const page = await mallory.submit(saveDraft, { title: `${"x".repeat(119)}😀`, text: "" });
    expect(page).toContain(`${"x".repeat(119)}\ufffd<`);
  });

  test("put no markup into a page", async () => {
    const { visitor } = await startSite();
    const mallory = visitor();
    const attack = `" autofocus onfocus="alert(1)"><script>alert('1')</script>`;
    const name = `"><script>alert(1)</script>`;
    await mallory.signIn(name);
    await mallory.submit(saveDraft, { title: attack, text: `</textarea>${attack}` });
    const pages = [
      await mallory.page("/forum"),
      await mallory.page("/forum/drafts/0000000000aa"),
      await mallory.submit("/forum/drafts/0000000000aa/post", { title: attack, text: attack }),
      await mallory.page("/account"),
      await mallory.page(`/account?next=/${encodeURIComponent(attack)}`),
      await visitor().page(`/account?next=/${encodeURIComponent(attack)}`),
      await visitor().page(`/${attack}`),
    ];
    for (const page of pages) {
      expect(page).not.toContain("<script>alert");
      expect(page).not.toContain('" autofocus');
      // Our own, and no other.
      expect(page.match(/<script/g)).toHaveLength(1);
    }
    expect(pages[0]).toContain("&lt;script&gt;alert(&#39;1&#39;)");
  });

  test("run no script and open no frame where markup should get in nevertheless", async () => {
    const { visitor } = await startSite();
    const policy = (await visitor().get("/")).headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
  });

  test.each([
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { origin: "https://evil.example" },
    { origin: "null" },
  ])("send no forms from elsewhere: %j", async (headers) => {
    const { visitor } = await startSite();
    const ada = visitor();
    await ada.signIn("ada");
    const response = await ada.post("/account/sign-out", {}, headers);
    expect(response.status).toBe(403);
    expect((await ada.session())?.principal).toBe("ada");
  });

  test("and our own pages send theirs", async () => {
    const { visitor, url } = await startSite();
    expect(
      (await visitor().post("/shop/add", { sku: "tea" }, { "sec-fetch-site": "same-origin" })).status,
    ).toBe(303);
    expect((await visitor().post("/shop/add", { sku: "tea" }, { origin: url })).status).toBe(303);
  });

  test("fill no session without end", async () => {
    const { visitor } = await startSite({ maxBytes: 20_000 });
    const mallory = visitor();
    const text = "x".repeat(4000);
    const statuses: number[] = [];
    for (let n = 0; n < 8; n++)
      statuses.push((await mallory.post(`/forum/drafts/${draftId(n)}/save`, { title: "", text })).status);
    expect(statuses.at(0)).toBe(303);
    expect(statuses.at(-1)).toBe(413);
    expect(await mallory.page("/forum")).toContain("Untitled");
  });
});

describe("when the backend is down", () => {
  test("the visitor is told so, keeps the cookie, and is still signed in afterwards", async () => {
    const { visitor, backend } = await startSite();
    const ada = visitor();
    await ada.signIn("ada");
    await ada.submit("/shop/add", { sku: "tea" });

    backend.down = true;
    for (const response of [await ada.get("/shop"), await ada.post("/shop/add", { sku: "tea" })]) {
      expect(response.status).toBe(503);
      expect(response.headers.get("retry-after")).toBe("5");
      expect(response.headers.getSetCookie()).toEqual([]);
      expect(await response.text()).toContain("you are still signed in");
    }
    expect((await ada.get("/session.json")).status).toBe(503);
    expect((await visitor().get("/shop")).status).toBe(200);

    backend.down = false;
    expect((await ada.session())?.principal).toBe("ada");
    expect(await ada.page("/shop")).toContain(total("€6.90"));
  });

  test("between reading and writing, nothing is claimed to be done", async () => {
    const { visitor, backend } = await startSite();
    const commit = vi.spyOn(backend, "commit");
    const guest = visitor();
    await guest.submit("/shop/add", { sku: "tea" });
    commit.mockImplementationOnce(async () => {
      backend.down = true;
      return backend.load("").then(() => "gone");
    });
    const response = await guest.post("/shop/add", { sku: "honey" });
    expect(response.status).toBe(503);
    expect(response.headers.get("location")).toBeNull();
    expect(response.headers.getSetCookie()).toEqual([]);
    backend.down = false;
    const page = await guest.page("/shop");
    expect(page).toContain(total("€6.90"));
  });
});

test("watching a session does not keep it alive, and writes nothing", async () => {
  let now = Date.now();
  const { visitor, backend } = await startSite({ idle: "10m", clock: () => now });
  const guest = visitor();
  await guest.submit("/shop/add", { sku: "tea" });
  backend.calls = [];
  for (let minute = 0; minute < 9; minute++) {
    now += 60_000;
    expect(await guest.session()).not.toBeNull();
  }
  expect(backend.calls).toEqual(Array(9).fill("load"));
  now += 60_000;
  expect(await guest.session()).toBeNull();
});
