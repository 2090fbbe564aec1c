import { startProxy } from "@sessions/conformance/proxy";
import { lines } from "../charts.ts";
import { type Counters, countDuring, openCounters } from "../measure/counters.ts";
import { type RunningSite, startSite } from "../measure/site.ts";
import { quantile, show } from "../measure/statistics.ts";
import type { Figure, Question, RunOptions, Verdict } from "../question.ts";
import { type Keeping, ours, peers, type Site, serviceOf } from "../sites.ts";

const KILOBYTES = [1, 4, 20, 100];
const KINDS = ["read", "write", "none"] as const;
type Kind = (typeof KINDS)[number];

const sites: Site[] = [
  ...peers.filter((site) => serviceOf(site) !== undefined),
  ...(["redis", "mysql", "postgres", "mongodb", "dynamodb"] as const).map((keeping) =>
    ours("express", keeping),
  ),
];

/** Sends one kind of request several times, one after another. Returns the median of the bytes of each. */
async function count(
  { site, visitor }: RunningSite,
  line: { bytes: { toServer: number; toClient: number }; roundTrips(): number },
  counters: Counters | undefined,
  kilobytes: number,
  kind: Kind,
  times: number,
): Promise<Figure> {
  const holder = visitor();
  await holder.post(`/fill?kilobytes=${kilobytes}`);
  const request = (): Promise<string> =>
    kind === "read"
      ? holder.get("/read")
      : kind === "write"
        ? holder.post("/write?key=key")
        : visitor().get("/none");
  // First make connections and prepare statements.
  for (let i = 0; i < 3; i++) await request();
  const seen: { toServer: number; toClient: number; trips: number }[] = [];
  const counted = await countDuring(counters, async () => {
    for (let i = 0; i < times; i++) {
      const before = { ...line.bytes, trips: line.roundTrips() };
      await request();
      seen.push({
        toServer: line.bytes.toServer - before.toServer,
        toClient: line.bytes.toClient - before.toClient,
        trips: line.roundTrips() - before.trips,
      });
    }
  });
  // Take the median, because a client may check its server now and then.
  const middle = (name: "toServer" | "toClient" | "trips"): number =>
    Math.round(
      quantile(
        seen.map((one) => one[name]),
        0.5,
      ),
    );
  const perRequest = (name: string): number | undefined => {
    const sum = counted.get(name);
    return sum === undefined ? undefined : Math.round(sum / times);
  };
  const commands = [...counted].filter(([name, calls]) => !name.endsWith("bytes") && calls / times >= 0.5);
  return {
    ...{ site: site.label, ours: site.ours, keeping: site.keeping, kilobytes, kind },
    ...{ toServer: middle("toServer"), toClient: middle("toClient"), roundTrips: middle("trips") },
    ...{ serverReceived: perRequest("input bytes"), serverSent: perRequest("output bytes") },
    commands: commands.map(([name, calls]) => `${name} ${show(calls / times)}`).join(", "),
  };
}

async function countSite(site: Site, sizes: readonly number[], times: number): Promise<Figure[] | string> {
  let proxy: Awaited<ReturnType<typeof startProxy>> | undefined;
  let direct = "";
  const running = await startSite(site, async (url) => {
    direct = url;
    proxy = await startProxy(url);
    return proxy.url;
  });
  if (typeof running === "string" || !proxy) return String(running);
  const counters = await openCounters(serviceOf(site), direct);
  try {
    const figures: Figure[] = [];
    for (const kilobytes of sizes)
      for (const kind of KINDS) figures.push(await count(running, proxy, counters, kilobytes, kind, times));
    return figures;
  } finally {
    await running.close();
    await proxy.close();
    await counters?.close();
  }
}

function verdictsOf(figures: readonly Figure[]): Verdict[] {
  const mine = figures.filter((figure) => figure["ours"] === true);
  const keepings = [...new Set(mine.map(({ keeping }) => keeping as Keeping))];
  const find = (keeping: Keeping, kilobytes: number, kind: Kind) =>
    mine.find((one) => one["keeping"] === keeping && one["kilobytes"] === kilobytes && one["kind"] === kind);
  return keepings.flatMap((keeping) => {
    const trips = KINDS.map((kind) => find(keeping, 1, kind)?.["roundTrips"]);
    const small = Number(find(keeping, 1, "write")?.["toServer"]);
    const growth = Number(find(keeping, 100, "write")?.["toServer"]) / small;
    return [
      {
        what: `${keeping}: round trips of a read, a write, and a request without a cookie`,
        target: "1, 2, 0",
        reached: trips.join(", "),
        ok: trips.join() === "1,2,0",
      },
      {
        what: `${keeping}: bytes sent for one written key at 100 KB, of those at 1 KB`,
        target: "at most 1.1",
        reached: show(growth, 2),
        ok: growth <= 1.1,
      },
    ];
  });
}

async function run({ quick, progress }: RunOptions) {
  const figures: Figure[] = [];
  const notes = [
    "Counted on the wire between site and server. Redis and MySQL themselves count the commands, and the JSON file's serverReceived and serverSent.",
    "A read asks for one key, and a write sets one. The session holds the given amount of other data.",
  ];
  for (const [i, site] of sites.entries()) {
    progress(`${i + 1} of ${sites.length}: ${site.label}`);
    const counted = await countSite(site, quick ? [1, 100] : KILOBYTES, quick ? 3 : 20);
    if (typeof counted === "string") notes.push(`Not measured: ${counted}`);
    else figures.push(...counted);
  }
  const sizes = quick ? [1, 100] : [1, 20, 100];
  const rows = figures
    .filter(({ kilobytes }) => kilobytes === 1)
    .map((first) => {
      const at = (kilobytes: number, name: string): string =>
        show(
          Number(
            figures.find(
              ({ site, kind, kilobytes: size }) =>
                site === first["site"] && kind === first["kind"] && size === kilobytes,
            )?.[name],
          ),
        );
      return [
        ...[String(first["site"]), String(first["kind"]), String(first["roundTrips"])],
        ...sizes.map((size) => at(size, "toServer")),
        ...sizes.map((size) => at(size, "toClient")),
        String(first["commands"]),
      ];
    });
  return {
    figures,
    tables: [
      {
        title: "For one request",
        head: [
          ...["site", "request", "round trips"],
          ...sizes.map((size) => `bytes sent, ${size} KB`),
          ...sizes.map((size) => `bytes received, ${size} KB`),
          "commands",
        ],
        rows,
      },
    ],
    charts: [
      lines(
        "bytes-written",
        figures.filter(({ kind }) => kind === "write"),
        {
          ...{
            title: "Bytes sent to the server to write one key",
            x: "kilobytes",
            y: "toServer",
            series: "site",
          },
          ...{ xTitle: "KB in the session", yTitle: "bytes", facet: "keeping", scale: "log" as const },
        },
      ),
      lines(
        "bytes-read-requests",
        figures.filter(({ kind }) => kind === "read"),
        {
          ...{
            title: "Bytes sent to the server by a request that only reads",
            x: "kilobytes",
            y: "toServer",
          },
          ...{ series: "site", xTitle: "KB in the session", yTitle: "bytes", facet: "keeping" },
          scale: "log" as const,
        },
      ),
    ],
    verdicts: verdictsOf(figures),
    notes,
  };
}

export const bytes: Question = { number: 3, title: "Bytes and round trips of a request", run };
