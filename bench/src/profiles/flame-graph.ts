import { escaped, px } from "../report/svg.ts";
import { type Stack, weightOf } from "./profilers/stacks.ts";

/** A flame graph: each row is called by the row below it; the width of a frame is its share of the time. */
export type FlameGraph = {
  readonly title: string;
  readonly subtitle: string;
  readonly stacks: readonly Stack[];
  /** The part that a frame belongs to, by which it is coloured; undefined if that of its caller. */
  readonly partOf: (frame: string) => string | undefined;
  /** The parts of the legend, in this order. */
  readonly parts: readonly string[];
};

/** A frame with everything that it calls. */
type Node = { readonly name: string; weight: number; readonly children: Map<string, Node> };

const width = 1200;
const margin = 10;
const rowHeight = 16;
const top = 62;
const legendHeight = 18;
const legendColumns = 4;
const characterWidth = 6.2;
/** Frames with a smaller share are left out. */
const leastShare = 0.002;
/** Deeper calls are left out: planners call themselves more than a hundred times. */
const depthMax = 64;
/** If the graph is larger than this, in bytes, more small frames are left out. */
const bytesMax = 200_000;
const unknown = "#d0d7de";
const colours = [
  ...["#f4a582", "#92c5de", "#b8e186", "#fdd49e", "#c2a5cf", "#80cdc1", "#f1b6da", "#ffe08a"],
  ...["#9ecae1", "#d9a97c", "#a6d96a", "#e78ac3", "#bdbdbd", "#8da0cb", "#fc8d62", "#66c2a5"],
];

/**
 * Returns the graph as a self-contained SVG of at most 200 KB, without scripts: a frame's full name and share are its tooltip.
 * @throws RangeError without stacks.
 */
export function flameGraphSvg(graph: FlameGraph): string {
  const total = weightOf(graph.stacks);
  if (!(total > 0)) throw new RangeError("a flame graph needs samples");
  const tree = treeOf(graph.stacks);
  for (let least = leastShare; ; least *= 1.1) {
    const svg = drawn(graph, tree, least * total);
    if (Buffer.byteLength(svg) <= bytesMax) return svg;
  }
}

function treeOf(stacks: readonly Stack[]): Node {
  const tree: Node = { name: "", weight: weightOf(stacks), children: new Map() };
  for (const { frames, weight } of stacks) {
    let node = tree;
    for (const name of frames) {
      const next = node.children.get(name) ?? { name, weight: 0, children: new Map() };
      node.children.set(name, next);
      next.weight += weight;
      node = next;
    }
  }
  return tree;
}

function drawn({ title, subtitle, partOf, parts }: FlameGraph, tree: Node, least: number): string {
  const legendTop = top + Math.ceil(parts.length / legendColumns) * legendHeight;
  const bottom = legendTop + 12 + depthOf(tree, least) * rowHeight;
  const scale = (width - 2 * margin) / tree.weight;
  const lines: string[] = [];
  const draw = (node: Node, depth: number, left: number, colour: string): void => {
    const own = partOf(node.name);
    const fill = own === undefined ? colour : colourOf(parts, own);
    if (depth > 0)
      lines.push(frameSvg(node, { x: left, y: bottom - depth * rowHeight, scale, fill, total: tree.weight }));
    let x = left;
    for (const child of depth < depthMax ? shown(node, least) : []) {
      draw(child, depth + 1, x, fill);
      x += child.weight * scale;
    }
  };
  draw(tree, 0, margin, unknown);
  const height = bottom + margin;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}" font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="11" fill="#1f2328">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="${margin}" y="26" font-size="19" font-weight="600">${escaped(title)}</text>`,
    `<text x="${margin}" y="46" font-size="13" fill="#57606a">${escaped(subtitle)}</text>`,
    ...parts.map((part, index) => {
      const x = margin + (index % legendColumns) * ((width - 2 * margin) / legendColumns);
      const y = top + Math.floor(index / legendColumns) * legendHeight;
      return `<rect x="${x}" y="${y - 4}" width="12" height="12" fill="${colourOf(parts, part)}"/><text x="${x + 18}" y="${y + 6}">${escaped(part)}</text>`;
    }),
    ...lines,
    "</svg>",
    "",
  ].join("\n");
}

function frameSvg(
  { name, weight }: Node,
  at: {
    readonly x: number;
    readonly y: number;
    readonly scale: number;
    readonly fill: string;
    readonly total: number;
  },
): string {
  const frameWidth = weight * at.scale;
  const characters = Math.floor((frameWidth - 4) / characterWidth);
  const text =
    characters < 3
      ? ""
      : `<text x="${px(at.x + 2)}" y="${at.y + 12}">${escaped(cut(shortName(name), characters))}</text>`;
  const share = `${((weight / at.total) * 100).toFixed(1)} %`;
  return `<g><title>${escaped(name)}: ${share}</title><rect x="${px(at.x)}" y="${at.y}" width="${px(Math.max(0.3, frameWidth - 0.4))}" height="${rowHeight - 1}" fill="${at.fill}"/>${text}</g>`;
}

/** The called frames that are wide enough, in the order of their names: the widest first would move with each run. */
function shown({ children }: Node, least: number): Node[] {
  return [...children.values()]
    .filter(({ weight }) => weight >= least)
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

function depthOf(node: Node, least: number): number {
  return Math.min(depthMax, Math.max(0, ...shown(node, least).map((child) => 1 + depthOf(child, least))));
}

function colourOf(parts: readonly string[], part: string): string {
  const place = parts.indexOf(part);
  return place < 0 ? unknown : (colours[place % colours.length] ?? unknown);
}

/** A method of Java without its package. */
function shortName(name: string): string {
  return /^[\w$]+(\.[\w$]+)*\.([\w$]+\.[\w$<>]+)$/.exec(name)?.[2] ?? name;
}

function cut(text: string, characters: number): string {
  return text.length <= characters ? text : `${text.slice(0, characters - 1)}…`;
}
