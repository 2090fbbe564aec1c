import { setTimeout } from "node:timers/promises";
import { defineStore, type Session } from "@sessions/core";
import express, { type Router } from "express";
import { z } from "zod";
import { catalogue } from "./catalogue.ts";
import { field } from "./guard.ts";
import { sendPage } from "./page.ts";
import { shopPage } from "./shop-page.ts";

const MOST = 999;
const STEPS = new Map([
  ["more", 1],
  ["fewer", -1],
  ["none", -MOST],
]);

/**
 * The shop's part of the session: how many of each product. The types come from the schema, which is checked at each
 * write and again at each read.
 */
const cart = defineStore("cart", {
  schema: { items: z.record(z.string(), z.int().min(1).max(MOST)) },
});

/** A read-modify-write that loses nothing: if another request wrote in between, the function runs again. */
function change(session: Session, sku: string, by: number): void {
  session.store(cart).update("items", (items = {}) => {
    const { [sku]: quantity = 0, ...others } = items;
    const next = Math.min(quantity + by, MOST);
    if (next > 0) return { ...items, [sku]: next };
    // For an empty cart, `undefined` removes the entry.
    return Object.keys(others).length > 0 ? others : undefined;
  });
}

/** Stands for a slow payment provider. */
export type Pay = () => Promise<void>;
const payInTime: Pay = () => setTimeout(3000);

export function shop(pay: Pay = payInTime): Router {
  const router = express.Router();

  router.get("/", (req, res) => {
    const items = req.session.store(cart).get("items") ?? {};
    sendPage(req, res, { title: "Shop", body: shopPage(items) });
  });

  router.post("/add", (req, res) => {
    const product = catalogue.get(field(req, "sku"));
    if (product) change(req.session, product.sku, 1);
    res.redirect(303, product ? `/shop#${product.sku}` : "/shop");
  });

  router.post("/change", (req, res) => {
    const product = catalogue.get(field(req, "sku"));
    const by = STEPS.get(field(req, "to"));
    if (product && by) change(req.session, product.sku, by);
    res.redirect(303, "/shop#cart");
  });

  router.post("/order", async (req, res) => {
    const ordered = req.session.store(cart).get("items");
    if (ordered) {
      await pay();
      // Remove the items one by one, so that items which another tab added meanwhile stay. If the visitor has signed out
      // meanwhile, this write is dropped.
      for (const [sku, quantity] of Object.entries(ordered)) change(req.session, sku, -quantity);
      req.session.flash("notice", "Thank you! Your order is on its way.");
    }
    res.redirect(303, "/shop");
  });

  return router;
}
