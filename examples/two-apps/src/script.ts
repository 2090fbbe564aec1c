/**
 * The only script. All pages work without it. It keeps the panel up to date, counts down to the expiry, and saves a
 * draft while the visitor writes.
 */
export const script = `
"use strict";
let refresh = () => {};

const panel = document.querySelector("[data-panel]");
if (panel) {
  const part = (name) => panel.querySelector("[data-" + name + "]");
  const put = (name, text) => { if (part(name).textContent !== text) part(name).textContent = text; };
  // Uses a monotonic clock, because the visitor's clock may be wrong.
  const from = (seconds) => performance.now() + seconds * 1000;
  let expires = panel.dataset.seconds ? from(Number(panel.dataset.seconds)) : undefined;
  let shown = panel.querySelector("[data-id]").textContent;

  const show = (session) => {
    part("facts").hidden = !session;
    part("live").hidden = false;
    expires = session ? from(session.expiresInSeconds) : undefined;
    if (!session) return put("note", shown
      ? "This session has ended. The page still shows what was: reload it."
      : "None yet. You are looking only: no cookie, nothing stored.");
    put("note", shown && shown !== session.id ? "This is another session now: reload the page." : "");
    shown ||= session.id;
    put("who", session.principal ?? "nobody");
    put("id", session.id);
    part("stores").replaceChildren(...session.stores.map(({ name, entries }) => {
      const [item, count] = [document.createElement("li"), document.createElement("b")];
      count.textContent = entries;
      item.append(name + " ", count);
      return item;
    }));
    tick();
  };

  const poll = async () => {
    if (document.hidden) return;
    try {
      const response = await fetch(panel.dataset.panel);
      if (response.ok) return show((await response.json()).session);
      put("note", "The sessions' backend does not answer. That signs nobody out.");
    } catch {
      put("note", "The site does not answer.");
    }
    part("live").hidden = true;
  };

  const tick = () => {
    if (expires === undefined) return;
    const left = Math.max(0, Math.round((expires - performance.now()) / 1000));
    const two = (n) => String(n).padStart(2, "0");
    const hours = Math.floor(left / 3600);
    put("expires", "in " + (hours ? hours + ":" : "") + two(Math.floor(left / 60) % 60) + ":" + two(left % 60));
  };

  refresh = poll;
  tick();
  poll();
  setInterval(tick, 1000);
  setInterval(poll, 5000);
  document.addEventListener("visibilitychange", poll);
  // A page that the Back button shows may be out of date.
  window.addEventListener("pageshow", (event) => { if (event.persisted) poll(); });
}

const form = document.querySelector("[data-autosave]");
if (form) {
  const note = form.querySelector("[data-saved]");
  let timer;
  let saving;
  const save = async () => {
    note.textContent = "Saving…";
    try {
      const { status } = await fetch(form.dataset.autosave, { method: "POST", body: new URLSearchParams(new FormData(form)) });
      note.textContent = status === 204 ? "Saved."
        : status === 409 ? "Not saved: your session has ended. Copy your text, then reload the page."
        : "Not saved. It is tried again when you go on writing.";
      refresh();
    } catch {
      note.textContent = "Not saved: the site does not answer.";
    }
  };
  // Sends one text after the other, so that an older one never arrives after a newer one.
  const queue = () => { saving = Promise.resolve(saving).then(save); };
  form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(queue, 500); });
  form.addEventListener("submit", (event) => {
    clearTimeout(timer);
    if (!saving) return;
    // Wait for texts on their way. Otherwise they would bring back a draft that was just posted.
    event.preventDefault();
    saving.then(() => { saving = undefined; form.requestSubmit(event.submitter); });
  });
}
`;
