import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { Body, Controller, Get, Header, Post, Redirect, StreamableFile } from "@nestjs/common";
import { defineStore, type Session } from "@sessions/core";
import { page } from "./page.ts";
import { CurrentSession } from "./session.ts";

const cart = defineStore<{ items: string[]; downloaded: number }>("cart");

/** Returns a field's text, or `undefined` if it is empty, too long, or no text. */
function written(field: unknown): string | undefined {
  const text = typeof field === "string" ? field.trim() : "";
  return /^[^\p{Cc}\p{Cs}]{1,50}$/u.test(text) ? text : undefined;
}

@Controller()
export class ShopController {
  @Get()
  @Header("Content-Type", "text/html; charset=utf-8")
  show(@CurrentSession() session: Session): string {
    const store = session.store(cart);
    return page({
      name: session.principal,
      messages: session.flash("message"),
      items: store.get("items") ?? [],
      downloaded: store.get("downloaded"),
    });
  }

  @Post("login")
  @Redirect("/", 303)
  login(@CurrentSession() session: Session, @Body("name") field: unknown): void {
    const name = written(field);
    if (name === undefined) return;
    session.login(name);
    session.flash("message", `Welcome, ${name}.`);
  }

  @Post("logout")
  @Redirect("/", 303)
  async logout(@CurrentSession() session: Session): Promise<void> {
    await session.logout();
  }

  @Post("items")
  @Redirect("/", 303)
  add(@CurrentSession() session: Session, @Body("item") field: unknown): void {
    const item = written(field);
    if (item !== undefined) session.store(cart).update("items", (items = []) => [...items, item]);
  }

  @Get("cart.txt")
  download(@CurrentSession() session: Session): StreamableFile {
    const disposition = 'attachment; filename="cart.txt"';
    return new StreamableFile(Readable.from(lines(session)), {
      type: "text/plain; charset=utf-8",
      disposition,
    });
  }
}

async function* lines(session: Session): AsyncGenerator<string> {
  const store = session.store(cart);
  const items = store.get("items") ?? [];
  for (const item of items) {
    await setImmediate();
    yield `${item}\n`;
  }
  // The headers have been sent. The write is committed before the stream ends, but no new session can begin here.
  if (!session.isNew) store.set("downloaded", items.length);
}
