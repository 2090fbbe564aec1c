import { type Html, html, trusted } from "./html.ts";

// Drawn on 24 × 24, so that they look the same everywhere and need no font.
const LINES = {
  tea: "M4 9h12v5a5 5 0 0 1-5 5H9a5 5 0 0 1-5-5zM16 10h1.5a2.5 2.5 0 0 1 0 5H16M8 3c-1 1 1 2 0 3.5M12 3c-1 1 1 2 0 3.5M4 21.5h12",
  honey:
    "M6.5 7.5h11l1.5 3v7a3 3 0 0 1-3 3H8a3 3 0 0 1-3-3v-7zM7.5 3.5h9v4h-9zM12 11l2.6 1.5v3L12 17l-2.6-1.5v-3z",
  bread:
    "M3.5 11.5a4 4 0 0 1 3-5.5h11a4 4 0 0 1 3 5.5c-.4.7-1 1-1.5 1.2V19H5v-6.3c-.5-.2-1.1-.5-1.5-1.2zM9 9.5l1.5 2M13 9.5l1.5 2",
  cheese:
    "M3 12.5 14.5 5A6.5 6.5 0 0 1 21 11.5v7H3zM3 12.5h18M8 16.2h.01M12.5 15.5a1.2 1.2 0 1 0 .01 0M17.5 15.8h.01",
  pears:
    "M12 7c2 0 2.7 1.5 3 3.3.3 2 3 2.9 3 6.2a5 5 0 0 1-5 5h-2a5 5 0 0 1-5-5c0-3.3 2.7-4.2 3-6.2C9.3 8.5 10 7 12 7zM12 7c0-2 .5-3.5 2-4.5M13 5c1.5-1 3.5-1 4.5.5-1.5 1-3.5.8-4.5-.5z",
  basket:
    "M3 10h18l-2 9.5a1.5 1.5 0 0 1-1.5 1.2h-11A1.5 1.5 0 0 1 5 19.5zM7 10l4-6.5M17 10l-4-6.5M9.5 13.5v4M14.5 13.5v4",
  candle:
    "M8.5 10.5h7V20h-7zM12 10.5V8.5M12 8.5c-1.8 0-2.3-2.3 0-5.5 2.3 3.2 1.8 5.5 0 5.5zM5 20h14v1.5H5zM8.5 13.5c1.5 0 1 2.5 2.5 2.5",
  socks:
    "M8.5 3h7v9l3.3 3.7a3.2 3.2 0 0 1-4.7 4.4L9.4 15a3 3 0 0 1-.9-2.1zM8.5 6.5h7M12.3 17.7c.4-1.7 1.8-2.7 3.5-2.6",
  pen: "M4 20l1-4.5L16 4.5a2.1 2.1 0 0 1 3 0l.5.5a2.1 2.1 0 0 1 0 3L8.5 19zM14 6.5 17.5 10M13 20h7",
} as const;

export type PictureName = keyof typeof LINES;

export const picture = (name: PictureName): Html =>
  html`<svg class="picture" viewBox="0 0 24 24" aria-hidden="true"><path d="${trusted(LINES[name])}"/></svg>`;
