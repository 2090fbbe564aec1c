import { bars, lines } from "../charts.ts";
import { type Load, type Loaded, load } from "../measure/load.ts";
import { inTurns } from "../measure/rounds.ts";
import { type RunningSite, withSites } from "../measure/site.ts";
import { quantile, show, showSpread, spread } from "../measure/statistics.ts";
import type { Figure, Question, RunOptions, Verdict } from "../question.ts";
import { bare, client, dropIn, type Framework, ours, peers, type Site } from "../sites.ts";

type Kind = "read" | "write" | "none";
type Measured = "redis" | "mysql" | "memory";

const SIZES = [1, 20, 100];
/** The peer that a careful user has today. The targets are shares of its cost. */
const PEERS: Readonly<Record<Measured, string>> = {
  redis: "@fastify/session + connect-redis",
  mysql: "express-session + express-mysql-session",
  memory: "express-session + MemoryStore",
};
/** Shares of that peer's cost, at each of the sizes. */
const TARGETS: Readonly<Record<Measured, Readonly<Record<"read" | "write", readonly number[]>>>> = {
  redis: { read: [0.4, 0.1, 0.05], write: [0.65, 0.1, 0.05] },
  mysql: { read: [0.4, 0.2, 0.1], write: [0.5, 0.3, 0.2] },
  memory: { read: [0.2, 0.04, 0.02], write: [0.2, 0.04, 0.02] },
};
const NONE_TARGET = 0.1;
/** Shares of the requests a second of a site without sessions, on bare node:http with sessions in memory. */
const CEILING_TARGETS = { read: 0.85, write: 0.75 } as const;
const FRAMEWORKS: readonly Framework[] = ["node:http", "express", "fastify"];

interface Setting {
  readonly connections: number;
  readonly sessions: number;
  readonly until: Load["until"];
  readonly rounds: number;
  readonly sizes: readonly number[];
}
const FULL: Setting = { connections: 10, sessions: 50, until: { duration: 0.6 }, rounds: 3, sizes: SIZES };
const QUICK: Setting = { connections: 4, sessions: 8, until: { amount: 40 }, rounds: 1, sizes: [1, 100] };

/** Measures one kind of request at one size, on every site of a group, in turns. */
async function compare(
  running: readonly RunningSite[],
  cookies: ReadonlyMap<RunningSite, readonly string[]>,
  kind: Kind,
  { connections, until, rounds }: Setting,
): Promise<Map<RunningSite, Loaded[]>> {
  return inTurns(running, rounds, (one) =>
    load(one, {
      method: kind === "write" ? "POST" : "GET",
      path: kind === "write" ? "/write?key=key" : `/${kind}`,
      cookies: kind === "none" ? [] : (cookies.get(one) ?? []),
      connections,
      until,
    }),
  );
}

/** Makes sessions that already hold the given amount. */
async function fill({ site, visitor }: RunningSite, kilobytes: number, count: number): Promise<string[]> {
  if (site.keeping === "none") return [];
  const cookies: string[] = [];
  for (let i = 0; i < count; i++) {
    const holder = visitor();
    await holder.post(`/fill?kilobytes=${kilobytes}&user=visitor${i}`);
    cookies.push(holder.cookie());
  }
  return cookies;
}

/** Returns the cost that sessions add to the same site without them, round by round. */
function figuresOf(
  samples: ReadonlyMap<RunningSite, readonly Loaded[]>,
  about: { keeping: Measured; kind: Kind; kilobytes: number },
): Figure[] {
  const ceilings = new Map(
    [...samples]
      .filter(([{ site }]) => site.keeping === "none")
      .map(([{ site }, all]) => [site.framework, all]),
  );
  return [...samples].map(([{ site }, all]) => {
    const ceiling = ceilings.get(site.framework);
    const cost = spread(all.map(({ cpu }, round) => cpu - (ceiling?.[round]?.cpu ?? Number.NaN)));
    const share = spread(
      all.map(({ perSecond }, round) => perSecond / (ceiling?.[round]?.perSecond ?? Number.NaN)),
    );
    const middle = (name: keyof Loaded): number =>
      quantile(
        all.map((one) => one[name]),
        0.5,
      );
    return {
      ...{
        site: site.label,
        framework: site.framework,
        ours: site.ours,
        bare: site.keeping === "none",
        limit: site.module === "client-http",
        dropIn: site.module === "drop-in-express",
        ...about,
      },
      ...{ cost: cost.median, costLower: cost.lower, costUpper: cost.upper, ofCeiling: share.median },
      ...{ cpu: middle("cpu"), perSecond: middle("perSecond"), p50: middle("p50"), p99: middle("p99") },
    };
  });
}

const isOf = (figure: Figure, about: Figure): boolean =>
  Object.entries(about).every(([name, value]) => figure[name] === value);

function bestPeer(figures: readonly Figure[], about: Figure): Figure | undefined {
  return figures
    .filter((figure) => isOf(figure, { ...about, ours: false, bare: false, limit: false }))
    .sort((a, b) => Number(a["cost"]) - Number(b["cost"]))[0];
}

/** Compares the dearer of our sites on bare node:http and on Express with the peer of the backend. */
function verdict(
  figures: readonly Figure[],
  about: Figure & { keeping: Measured },
  target: number,
): Verdict[] {
  const peer = bestPeer(figures, { ...about, site: PEERS[about.keeping] });
  const mine = figures.filter(
    (one) => isOf(one, { ...about, ours: true, dropIn: false }) && one["framework"] !== "fastify",
  );
  if (!peer || mine.length === 0) return [];
  const ratio = Math.max(...mine.map(({ cost }) => Number(cost))) / Number(peer["cost"]);
  const { keeping, kind, kilobytes } = about;
  return [
    {
      what: `${keeping}, ${kind === "none" ? "no cookie" : `${kind} at ${kilobytes} KB`}: cost, of ${peer["site"]}'s`,
      target: `at most ${target}`,
      reached: show(ratio, 3),
      // If a peer seems to cost nothing, the run was too short.
      ok: ratio <= target && Number(peer["cost"]) > 0,
    },
  ];
}

function verdictsOf(figures: readonly Figure[]): Verdict[] {
  const keepings: readonly Measured[] = ["redis", "mysql", "memory"];
  const kinds = ["read", "write"] as const;
  return [
    ...keepings.flatMap((keeping) => [
      ...kinds.flatMap((kind) =>
        SIZES.flatMap((kilobytes, i) =>
          verdict(figures, { keeping, kind, kilobytes }, TARGETS[keeping][kind][i] ?? Number.NaN),
        ),
      ),
      ...verdict(figures, { keeping, kind: "none", kilobytes: 1 }, NONE_TARGET),
    ]),
    ...kinds.flatMap((kind) =>
      figures
        .filter((one) =>
          isOf(one, { keeping: "memory", kind, kilobytes: 1, ours: true, framework: "node:http" }),
        )
        .map(({ ofCeiling }) => ({
          what: `memory, ${kind} at 1 KB on node:http: requests a second, of the site's without sessions`,
          target: `at least ${CEILING_TARGETS[kind]}`,
          reached: show(Number(ofCeiling), 2),
          ok: Number(ofCeiling) >= CEILING_TARGETS[kind],
        })),
    ),
  ];
}

function rowOf(figures: readonly Figure[], figure: Figure): string[] {
  const { keeping, kind, kilobytes } = figure;
  const peer = bestPeer(figures, { keeping, kind, kilobytes });
  const { cost, costLower, costUpper, bare } = figure;
  const shown = { median: Number(cost), lower: Number(costLower), upper: Number(costUpper) };
  return [
    ...[String(figure["site"]), bare ? "" : showSpread(shown)],
    bare || !peer ? "" : show(Number(cost) / Number(peer["cost"]), 3),
    ...[show(Number(figure["perSecond"])), show(Number(figure["ofCeiling"]), 2)],
    ...[show(Number(figure["p50"]), 2), show(Number(figure["p99"]), 2)],
  ];
}

async function run({ quick, progress }: RunOptions) {
  const setting = quick ? QUICK : FULL;
  const figures: Figure[] = [];
  const notes = [
    "Cost: microseconds of the site's processor time for a request, minus those of the same site without sessions in the same round.",
    "Targets are for the dearer of this library's own middleware on node:http and on Express, as a share of the named peer's cost.",
  ];
  for (const keeping of ["redis", "mysql", "memory"] as const) {
    const sites: Site[] = [
      ...FRAMEWORKS.map(bare),
      ...peers.filter((site) => site.keeping === keeping && site.framework !== "hono"),
      ...(keeping === "memory" ? [] : [client(keeping)]),
      ...FRAMEWORKS.map((framework) => ours(framework, keeping)),
      dropIn(keeping),
    ];
    await withSites(sites, notes, async (running) => {
      for (const kilobytes of setting.sizes) {
        progress(`${keeping}, ${kilobytes} KB: ${running.length} sites in turns, ${setting.rounds} rounds`);
        const cookies = new Map<RunningSite, string[]>();
        for (const one of running) cookies.set(one, await fill(one, kilobytes, setting.sessions));
        // Without a cookie no session is read, so its size does not matter.
        const kinds: readonly Kind[] = kilobytes === 1 ? ["read", "write", "none"] : ["read", "write"];
        for (const kind of kinds)
          figures.push(
            ...figuresOf(await compare(running, cookies, kind, setting), { keeping, kind, kilobytes }),
          );
      }
    });
  }
  const tables = [
    ...new Map(figures.map((one) => [`${one["keeping"]} ${one["kind"]} ${one["kilobytes"]}`, one])).values(),
  ];
  const withSessions = figures.filter(({ bare }) => bare === false);
  return {
    figures,
    tables: tables.map(({ keeping, kind, kilobytes }) => ({
      title: `${keeping}, ${kind === "none" ? "no cookie" : `${kind} at ${kilobytes} KB`}`,
      head: [
        "site",
        "cost, µs",
        "of the best peer's",
        "requests a second",
        "of the ceiling",
        "p50, ms",
        "p99, ms",
      ],
      rows: figures
        .filter((one) => isOf(one, { keeping, kind, kilobytes }))
        .map((one) => rowOf(figures, one)),
    })),
    charts: [
      ...(["read", "write"] as const).map((kind) =>
        lines(
          `cost-${kind}`,
          withSessions.filter((one) => one["kind"] === kind),
          {
            title: `Processor time that sessions add to a ${kind}`,
            ...{ x: "kilobytes", xTitle: "KB in the session", y: "cost", yTitle: "µs a request" },
            ...{ series: "site", facet: "keeping", scale: "symlog" as const },
          },
        ),
      ),
      bars(
        "cost-none",
        withSessions.filter(({ kind }) => kind === "none"),
        {
          title: "Processor time that sessions add to a request without a cookie",
          ...{ label: "site", value: "cost", valueTitle: "µs a request" },
        },
      ),
    ],
    verdicts: verdictsOf(figures),
    notes,
  };
}

export const cost: Question = { number: 1, title: "What a session costs", run };
