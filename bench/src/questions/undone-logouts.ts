import { setTimeout } from "node:timers/promises";
import { bars } from "../charts.ts";
import { type RunningSite, startSite } from "../measure/site.ts";
import type { Figure, Question, RunOptions } from "../question.ts";
import { ours, peers, type Site, sharedKeepings } from "../sites.ts";

const TIMES = 20;

const sites: Site[] = [
  ...peers,
  ...[...sharedKeepings, "postgres" as const].map((keeping) => ours("express", keeping)),
  ours("fastify", "redis"),
  ours("hono", "memory"),
];

/** Logs out, with or without a request in flight. Returns whether the old cookie still opens the login. */
async function isUndone(site: RunningSite, inFlight: boolean): Promise<boolean> {
  const visitor = site.visitor();
  const control = site.visitor();
  await visitor.post("/login?user=somebody");
  const cookie = visitor.cookie();
  // Another tab of the same browser. Its handler has written one key, and responds only when it is released.
  const late = inFlight ? site.visitor(cookie).post("/write?key=late&together=0") : undefined;
  // Poll, because no event tells this process that the request has arrived.
  while (inFlight && (await control.get("/waiting")) !== "1") await setTimeout(1);
  await visitor.post("/logout");
  await control.post("/release");
  await late;
  const entries: unknown = JSON.parse(await site.visitor(cookie).get("/entries"));
  return Object.hasOwn(Object(entries), "user");
}

async function undone(running: RunningSite, inFlight: boolean): Promise<number> {
  let count = 0;
  for (let i = 0; i < TIMES; i++) if (await isUndone(running, inFlight)) count++;
  return count;
}

async function run({ quick, progress }: RunOptions) {
  const asked = quick ? sites.filter(({ keeping }) => ["memory", "redis"].includes(keeping)) : sites;
  const figures: Figure[] = [];
  const notes: string[] = [
    "Undone: the cookie from before the logout opens the session again, with its user.",
    "A request in flight has written to its session before the logout, and responds after it.",
  ];
  for (const [i, site] of asked.entries()) {
    progress(`${i + 1} of ${asked.length}: ${site.label}`);
    const running = await startSite(site);
    if (typeof running === "string") {
      notes.push(`Not measured: ${running}`);
      continue;
    }
    try {
      figures.push({
        site: site.label,
        ours: site.ours,
        alone: await undone(running, false),
        inFlight: await undone(running, true),
      });
    } finally {
      await running.close();
    }
  }
  const mine = figures.filter((figure) => figure["ours"] === true);
  const ofMine = mine.reduce((sum, { alone, inFlight }) => sum + Number(alone) + Number(inFlight), 0);
  return {
    figures,
    tables: [
      {
        title: `Logouts undone, of ${TIMES}`,
        head: ["site", "nothing in flight", "a request in flight"],
        rows: figures.map((figure) => ["site", "alone", "inFlight"].map((name) => String(figure[name]))),
      },
    ],
    charts: [
      bars(
        "undone-logouts",
        figures.flatMap(({ site, ours, alone, inFlight }) => [
          { site, ours, what: "nothing in flight", undone: alone },
          { site, ours, what: "a request in flight", undone: inFlight },
        ]),
        {
          title: `Logouts undone, of ${TIMES}`,
          label: "site",
          value: "undone",
          valueTitle: "undone",
          facet: "what",
        },
      ),
    ],
    verdicts: [
      {
        what: `Logouts undone by ${mine.length} sites with this library`,
        target: "0",
        reached: String(ofMine),
        ok: mine.length > 0 && ofMine === 0,
      },
    ],
    notes,
  };
}

export const undoneLogouts: Question = { number: 5, title: "Logouts undone by a request in flight", run };
