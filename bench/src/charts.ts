import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import type { Figure } from "./question.ts";

/** A picture of a question's figures. */
export interface Chart {
  /** The file's name, without its ending. */
  readonly name: string;
  readonly spec: TopLevelSpec;
}

/** Which of the figures' properties goes where. */
interface Axes {
  readonly title: string;
  /** The property that has a picture for each of its values, side by side. */
  readonly facet?: string;
  /** @default "linear" */
  readonly scale?: "linear" | "log" | "symlog";
}

export interface BarAxes extends Axes {
  /** The property that names a bar; one that is long has room. */
  readonly label: string;
  readonly value: string;
  readonly valueTitle: string;
}

export interface LineAxes extends Axes {
  readonly x: string;
  readonly xTitle: string;
  readonly y: string;
  readonly yTitle: string;
  /** The property that has a line for each of its values. */
  readonly series: string;
}

const DRAWN = [1, 0];
const DASHED = [5, 3];
const CONFIG = { background: "white", view: { stroke: "transparent" }, font: "sans-serif" } as const;

/** One bar for each figure; those of this library, which say so in `ours`, have a colour of their own. */
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
        // A bar has no beginning on a logarithmic scale; symlog has a zero.
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

/** One line for each series, over an amount `x`; the peers' are dashed. */
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

/** A picture for each value of a property, three beside each other. */
function facetOf(field: string | undefined) {
  return field === undefined
    ? {}
    : ({ facet: { field, type: "nominal", title: null, sort: null, columns: 3 } } as const);
}

/** The picture, as the text of an SVG file. */
export async function renderSvg({ spec }: Chart): Promise<string> {
  const view = new View(parse(compile(spec).spec), { renderer: "none" });
  try {
    return `${await view.toSVG()}\n`;
  } finally {
    view.finalize();
  }
}
