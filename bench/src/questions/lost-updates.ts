import { bars } from "../charts.ts";
import { type RunningSite, startSite } from "../measure/site.ts";
import type { Figure, Question, RunOptions, Verdict } from "../question.ts";
import { ours, peers, type Site, sharedKeepings } from "../sites.ts";

const KEYS = 100;
const INCREMENTS = 200;
/** How many requests of the count overlap. */
const AT_ONCE = 20;

const sites: Site[] = [
  ...peers,
  ...[...sharedKeepings, "postgres" as const].map((keeping) => ours("express", keeping)),
  ours("fastify", "redis"),
  ours("hono", "memory"),
];

/** Sends overlapping requests, each with its own key. Returns how many keys are missing afterwards. */
async function lostKeys(site: RunningSite, together: boolean): Promise<number> {
  const visitor = site.visitor();
  await visitor.post("/login?user=somebody");
  const keys = Array.from({ length: KEYS }, (_, i) => `key${i}`);
  const all = together ? `&together=${KEYS}` : "";
  await Promise.all(keys.map((key) => visitor.post(`/write?key=${key}${all}`)));
  const entries: unknown = JSON.parse(await visitor.get("/entries"));
  return keys.filter((key) => !Object.hasOwn(Object(entries), key)).length;
}

/** Many requests raise a count by one each. Returns by how much it is too small afterwards. */
async function lostIncrements(site: RunningSite): Promise<number> {
  const visitor = site.visitor();
  await visitor.post("/login?user=somebody");
  for (let done = 0; done < INCREMENTS; done += AT_ONCE)
    await Promise.all(
      Array.from({ length: AT_ONCE }, () => visitor.post(`/increment?key=n&together=${AT_ONCE}`)),
    );
  const entries: unknown = JSON.parse(await visitor.get("/entries"));
  return INCREMENTS - Number(Object(entries).n ?? 0);
}

async function run({ quick, progress }: RunOptions) {
  const asked = quick ? sites.filter(({ keeping }) => ["memory", "redis"].includes(keeping)) : sites;
  const figures: Figure[] = [];
  const notes: string[] = [
    "Together: every handler has written to its session before the first response. At once: the requests come as they come.",
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
        keysAtOnce: await lostKeys(running, false),
        keysTogether: await lostKeys(running, true),
        increments: await lostIncrements(running),
      });
    } finally {
      await running.close();
    }
  }
  const mine = figures.filter((figure) => figure["ours"] === true);
  const lost = (name: string): number => mine.reduce((sum, figure) => sum + Number(figure[name]), 0);
  const verdicts: Verdict[] = [
    [`of ${KEYS} keys, written at once`, "keysAtOnce"] as const,
    [`of ${KEYS} keys, written together`, "keysTogether"] as const,
    [`of ${INCREMENTS} increments, ${AT_ONCE} together`, "increments"] as const,
  ].map(([what, name]) => ({
    what: `Lost ${what}, by ${mine.length} sites with this library`,
    target: "0",
    reached: String(lost(name)),
    ok: mine.length > 0 && lost(name) === 0,
  }));
  return {
    figures,
    tables: [
      {
        title: "Updates lost",
        head: ["site", `of ${KEYS} keys at once`, `of ${KEYS} together`, `of ${INCREMENTS} increments`],
        rows: figures.map((figure) =>
          ["site", "keysAtOnce", "keysTogether", "increments"].map((name) => String(figure[name])),
        ),
      },
    ],
    charts: [
      bars(
        "lost-updates",
        figures.flatMap(({ site, ours, keysTogether, increments }) => [
          { site, ours, what: `of ${KEYS} keys`, lost: keysTogether },
          { site, ours, what: `of ${INCREMENTS} increments`, lost: increments },
        ]),
        {
          title: "Updates lost by overlapping requests",
          label: "site",
          value: "lost",
          valueTitle: "lost",
          facet: "what",
        },
      ),
    ],
    verdicts,
    notes,
  };
}

export const lostUpdates: Question = { number: 4, title: "Updates lost", run };
