// Layers of boxes and the ways of the lines between them, by the Eclipse Layout Kernel.

import type { ELK, ElkExtendedEdge, ElkNode } from "elkjs/lib/elk-api.js";

export interface Box {
  id: string;
  kind: "service" | "channel" | "event" | "outside";
  title: string;
  /** One word above the title: the system, the kind. */
  over: string;
  /** What a reader is told of it besides. */
  about: string;
}

export interface Arrow {
  id: string;
  source: string;
  target: string;
  /** Messages a second, which make it wide; null for a line without traffic. */
  rate: number | null;
  /** The share that failed; null where that is not known. */
  failed: number | null;
  label: string;
  about: string;
  dashed?: boolean;
}

export interface Spot {
  x: number;
  y: number;
}

export interface Laid {
  width: number;
  height: number;
  boxes: Map<string, Spot>;
  ways: Map<string, Spot[]>;
}

export const HEIGHT = 46;
const NARROWEST = 96;
const WIDEST = 230;
/** What a drawing is looked at in: the better of two directions is the one that fits it better. */
const PLACE = { width: 1150, height: 720 };
const TRY_BOTH = 120;
/** More arrows than this are laid out with less care, and more than that not at all: nobody could follow them. */
const CAREFULLY = 150;
export const MOST_ARROWS = 250;
const QUICKLY = { "elk.layered.thoroughness": "1", "elk.layered.nodePlacement.strategy": "BRANDES_KOEPF", "elk.layered.considerModelOrder.strategy": "NONE" };

let pen: CanvasRenderingContext2D | null = null;
const measured = new Map<string, number>();

/** A box is as wide as what stands in it, within bounds. */
export function widthOf(box: Box): number {
  const known = measured.get(box.title + box.over);
  if (known !== undefined) return known;
  pen ??= document.createElement("canvas").getContext("2d");
  let width = WIDEST;
  if (pen) {
    const family = getComputedStyle(document.body).fontFamily;
    pen.font = `600 12.8px ${family}`;
    const title = pen.measureText(box.title).width;
    pen.font = `10.4px ${family}`;
    width = Math.max(title, pen.measureText(box.over).width) + 32;
  }
  const found = Math.round(Math.min(WIDEST, Math.max(NARROWEST, width)));
  measured.set(box.title + box.over, found);
  return found;
}

const OPTIONS = {
  "elk.algorithm": "layered",
  "elk.edgeRouting": "ORTHOGONAL",
  "elk.layered.spacing.nodeNodeBetweenLayers": "46",
  "elk.spacing.nodeNode": "18",
  "elk.spacing.edgeNode": "14",
  "elk.spacing.edgeEdge": "9",
  "elk.layered.spacing.edgeNodeBetweenLayers": "16",
  "elk.layered.spacing.edgeEdgeBetweenLayers": "9",
  "elk.layered.nodePlacement.strategy": "NETWORK_SIMPLEX",
  "elk.layered.considerModelOrder.strategy": "NODES_AND_EDGES",
  "elk.layered.thoroughness": "5",
  "elk.randomSeed": "1",
  "elk.separateConnectedComponents": "true",
  "elk.spacing.componentComponent": "40",
  "elk.aspectRatio": "1.7",
};

/** Large: it begins to work when something is to be drawn. */
let kernel: ELK | null = null;

export async function laidOut(boxes: Box[], arrows: Arrow[]): Promise<Laid> {
  const right = await laidOutTo("RIGHT", boxes, arrows);
  if (arrows.length > TRY_BOTH) return right;
  const down = await laidOutTo("DOWN", boxes, arrows);
  return fit(down) > fit(right) * 1.1 ? down : right;
}

/** The busiest arrows, no more than can be drawn, and the boxes that they lead to; and boxes that no arrow leads to. */
export function busiest(boxes: Box[], arrows: Arrow[]): { boxes: Box[]; arrows: Arrow[] } {
  if (arrows.length <= MOST_ARROWS) return { boxes, arrows };
  const kept = new Set([...arrows].sort((one, other) => (other.rate ?? 0) - (one.rate ?? 0)).slice(0, MOST_ARROWS));
  const ends = new Set([...kept].flatMap((each) => [each.source, each.target]));
  return { boxes: boxes.filter((each) => ends.has(each.id)), arrows: arrows.filter((each) => kept.has(each)) };
}

/** How much of its size a drawing keeps where it is looked at. */
function fit(laid: Laid): number {
  return Math.min(1, PLACE.width / laid.width, PLACE.height / laid.height);
}

async function laidOutTo(direction: "RIGHT" | "DOWN", boxes: Box[], arrows: Arrow[]): Promise<Laid> {
  kernel ??= new (await import("elkjs/lib/elk.bundled.js")).default();
  const graph: ElkNode = {
    id: "graph",
    layoutOptions: { ...OPTIONS, ...(arrows.length > CAREFULLY ? QUICKLY : {}), "elk.direction": direction },
    children: boxes.map((each) => ({ id: each.id, width: widthOf(each), height: HEIGHT })),
    edges: arrows.map((each): ElkExtendedEdge => ({ id: each.id, sources: [each.source], targets: [each.target] })),
  };
  const laid = await kernel.layout(graph);
  return {
    width: laid.width ?? 0,
    height: laid.height ?? 0,
    boxes: new Map((laid.children ?? []).map((each) => [each.id, { x: each.x ?? 0, y: each.y ?? 0 }])),
    ways: new Map((laid.edges ?? []).map((each) => [each.id, way(each)])),
  };
}

function way(edge: ElkExtendedEdge): Spot[] {
  const section = edge.sections?.[0];
  return section ? [section.startPoint, ...(section.bendPoints ?? []), section.endPoint] : [];
}

/** An SVG path through all spots, with round corners. */
export function path(spots: Spot[], radius = 7): string {
  const first = spots[0];
  if (!first) return "";
  const parts = [`M${first.x},${first.y}`];
  for (let place = 1; place < spots.length; place++) {
    const here = spots[place] as Spot;
    const next = spots[place + 1];
    if (!next) {
      parts.push(`L${here.x},${here.y}`);
      continue;
    }
    const from = towards(here, spots[place - 1] as Spot, radius);
    const to = towards(here, next, radius);
    parts.push(`L${from.x},${from.y}Q${here.x},${here.y} ${to.x},${to.y}`);
  }
  return parts.join("");
}

function towards(from: Spot, to: Spot, most: number): Spot {
  const length = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  const step = Math.min(most, length / 2);
  return { x: from.x + ((to.x - from.x) / length) * step, y: from.y + ((to.y - from.y) / length) * step };
}

/** How wide a line is drawn for a rate, among the rates of a drawing. */
export function widths(arrows: Arrow[]): (rate: number | null) => number {
  const rates = arrows.map((each) => each.rate ?? 0).filter((each) => each > 0);
  if (!rates.length) return () => 1.5;
  const low = Math.log(Math.min(...rates));
  const high = Math.log(Math.max(...rates));
  return (rate) => (rate ? 1.5 + (high > low ? ((Math.log(rate) - low) / (high - low)) * 4.5 : 1) : 1.25);
}

/** Which colour a share of failures has: a class of page.css. */
export function tone(failed: number | null): string {
  if (failed === null) return "unknown";
  if (failed === 0) return "well";
  if (failed < 0.01) return "few";
  return failed < 0.1 ? "some" : "many";
}
