import type { PictureName } from "./pictures.ts";

export interface Product {
  readonly sku: PictureName;
  readonly name: string;
  readonly cents: number;
}

const PRODUCTS: readonly Product[] = [
  { sku: "tea", name: "Mountain tea", cents: 690 },
  { sku: "honey", name: "Wild honey", cents: 1250 },
  { sku: "bread", name: "Rye bread", cents: 480 },
  { sku: "cheese", name: "Old cheese", cents: 1490 },
  { sku: "pears", name: "A bag of pears", cents: 350 },
  { sku: "basket", name: "Willow basket", cents: 2900 },
  { sku: "candle", name: "Beeswax candle", cents: 820 },
  { sku: "socks", name: "Wool socks", cents: 1800 },
];

export const catalogue: ReadonlyMap<string, Product> = new Map(
  PRODUCTS.map((product) => [product.sku, product]),
);

export const price = (cents: number): string => `€${(cents / 100).toFixed(2)}`;
