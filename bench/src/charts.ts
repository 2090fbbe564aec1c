import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import type { Figure } from "./question.ts";

/** A chart of a question's figures. */
export interface Chart {
  /** The file's name without its extension. */
  readonly name: string;
  readonly spec: TopLevelSpec;
}

/** Which property of the figures goes where. */
interface Axes {
  readonly title: string;
  /** A property. Each of its values gets a chart, and the charts stand side by side. */
  readonly facet?: string;
  /** @default "linear" */
  readonly scale?: "linear" | "log" | "symlog";
}

export interface BarAxes extends Axes {
  /** The property that names a bar. Long names have room. */
  readonly label: string;
  readonly value: string;
  readonly valueTitle: string;
}

export interface LineAxes extends Axes {
  readonly x: string;
  readonly xTitle: string;
  readonly y: string;
  readonly yTitle: string;
  /** A property. Each of its values gets a line. */
  readonly series: string;
}

const DRAWN = [1, 0];
const DASHED = [5, 3];
const CONFIG = { background: "white", view: { stroke: "transparent" }, font: "sans-serif" } as const;

/** One bar for each figure. Those with `ours`, of this library, have another colour. */
export function bars(name: string, figures: readonly Figure[], axes: BarAxes): Chart {
  const { title, label, value, valueTitle, facet, scale = "linear" } = axes;
  return {
    name,
    spec: {
      title,
      config: CONFIG,
      data: { values: [...figures] },
      mark: "bar",
      encoding: {
        y: { field: label, type: "nominal", title: null, sort: null, axis: { labelLimit: 400 } },
        // A bar cannot start on a logarithmic scale, because it has no zero; symlog has one.
        x: { field: value, type: "quantitative", title: valueTitle, scale: { type: scale } },
        color: {
          field: "ours",
          type: "nominal",
          legend: null,
          scale: { domain: [false, true], range: ["#9aa5b1", "#1f6feb"] },
        },
        ...facetOf(facet),
      },
    },
  };
}

/** One line for each series, over an amount `x`. The peers' lines are dashed. */
export function lines(name: string, figures: readonly Figure[], axes: LineAxes): Chart {
  const { title, x, y, series, xTitle, yTitle, facet, scale = "linear" } = axes;
  return {
    name,
    spec: {
      title,
      config: CONFIG,
      data: { values: [...figures] },
      mark: { type: "line", point: true },
      encoding: {
        x: { field: x, type: "quantitative", title: xTitle, scale: { type: "log" } },
        y: { field: y, type: "quantitative", title: yTitle, scale: { type: scale } },
        color: {
          field: series,
          type: "nominal",
          title: null,
          sort: null,
          scale: { scheme: "category20" },
          legend: { labelLimit: 400, symbolLimit: 0 },
        },
        strokeDash: {
          field: "ours",
          type: "nominal",
          legend: null,
          scale: { domain: [true, false], range: [DRAWN, DASHED] },
        },
        ...facetOf(facet),
      },
    },
  };
}

/** One chart for each value of a property, three in a row. */
function facetOf(field: string | undefined) {
  return field === undefined
    ? {}
    : ({ facet: { field, type: "nominal", title: null, sort: null, columns: 3 } } as const);
}

/** Returns the chart as the text of an SVG file. */
export async function renderSvg({ spec }: Chart): Promise<string> {
  const view = new View(parse(compile(spec).spec), { renderer: "none" });
  try {
    return `${await view.toSVG()}\n`;
  } finally {
    view.finalize();
  }
}
