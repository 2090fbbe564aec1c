// `node tools/draw-rooms.mjs`: draws docs/images/rooms.svg from the table of rooms in docs/architecture.md.
import { readFileSync, writeFileSync } from "node:fs";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";

const page = new URL("../docs/architecture.md", import.meta.url);
export const picture = new URL("../docs/images/rooms.svg", import.meta.url);

/** @typedef {{ name: string, holds: string }} Room */

/** @returns {Room[]} The rooms of core from top to bottom, as the table in docs/architecture.md lists them. */
export function rooms() {
  const text = readFileSync(page, "utf8");
  return [...text.matchAll(/^\| \[`(\w+)\/`\]\([^)]*\) \| ([^|]+?) \|/gm)].map(
    ([, name = "", holds = ""]) => ({
      name,
      holds: holds.replaceAll("`", ""),
    }),
  );
}

const WIDTH = 880;
const ROW = 46;
const LEFT = 110;
const MIDDLE = LEFT + (WIDTH - LEFT - 42) / 2;

/** @type {(text: string) => string} */
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** @type {(x: number, y: number, width: number, kind: string, name: string, holds?: string) => string} */
const box = (x, y, width, kind, name, holds = "") =>
  [
    `<rect class="${kind}" x="${x}" y="${y}" width="${width}" height="${ROW - 8}" rx="5"/>`,
    `<text class="name" x="${x + 14}" y="${y + 24}">${escaped(name)}</text>`,
    holds && `<text x="${x + 112}" y="${y + 24}">${escaped(holds)}</text>`,
  ].join("");

/** @type {(x: number, from: number, to: number) => string} */
const arrow = (x, from, to) => `<path class="arrow" d="M${x} ${from}V${to}" marker-end="url(#head)"/>`;

/** @returns {string} The picture. Its light background keeps it readable on a dark page. */
export function drawRooms() {
  const all = rooms();
  const packages = ["adapter-*", "express-session", "driver-*", "conformance"];
  const wide = (WIDTH - LEFT - 30) / packages.length;
  const entries = 132;
  const top = entries + ROW + 34;
  const bottom = top + all.length * ROW;
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bottom + 26}" role="img" aria-labelledby="title">`,
    '<title id="title">Packages import core by its entries; a room of core imports only from rooms below it</title>',
    '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z" fill="#57606a"/></marker></defs>',
    "<style>text{font:14px system-ui,sans-serif;fill:#1f2328}.name{font-weight:600}.side{fill:#57606a;font-size:13px}.page{fill:#fff;stroke:#d0d7de}.package{fill:#fff4d6;stroke:#bf8700}.entry{fill:#dafbe1;stroke:#2da44e}.room{fill:#ddf4ff;stroke:#54aeff}.arrow{stroke:#57606a;stroke-width:1.5;fill:none}</style>",
    `<rect class="page" x="1" y="1" width="${WIDTH - 2}" height="${bottom + 24}" rx="8"/>`,
    '<text class="side" x="20" y="52">packages</text>',
    ...packages.map((name, i) => box(LEFT + i * wide, 28, wide - 12, "package", name)),
    arrow(MIDDLE, 28 + ROW - 6, entries - 6),
    `<text class="side" x="${MIDDLE + 14}" y="104">packages import the entries, and never a room</text>`,
    `<text class="side" x="20" y="${entries + 24}">entries</text>`,
    box(LEFT, entries, WIDTH - LEFT - 42, "entry", "core", "index · adapter-tools · driver-tools · memory"),
    arrow(MIDDLE, entries + ROW - 6, top - 6),
    `<text class="side" x="20" y="${top + 24}">rooms</text>`,
    ...all.map(({ name, holds }, i) => box(LEFT, top + i * ROW, WIDTH - LEFT - 42, "room", name, holds)),
    arrow(62, top + 40, bottom - 12),
    `<text class="side" transform="translate(46 ${bottom - 14}) rotate(-90)">imports go down, and never up</text>`,
    "</svg>",
  ].join("\n")}\n`;
}

if (argv[1] === fileURLToPath(import.meta.url)) writeFileSync(picture, drawRooms());
