// Charts, drawn by Observable Plot; each has its numbers beside it for those who don't see it.

import * as Plot from "@observablehq/plot";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { type Line, page } from "./data";
import { count, duration } from "./format";

/** A plot that is as wide as its place. Drawn anew when that or what it shows changes. */
export function Chart({ draw, label }: {
  draw: (width: number) => (SVGSVGElement | HTMLElement) | null;
  label: string;
}): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    setWidth(Math.floor(element.clientWidth));
    const watch = new ResizeObserver(() => setWidth(Math.floor(element.clientWidth)));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  useEffect(() => {
    const element = place.current;
    if (!element || width < 80) return;
    const drawn = draw(width);
    // The place says what it shows; the parts of a drawing say nothing that helps.
    drawn?.setAttribute("aria-hidden", "true");
    if (drawn) element.replaceChildren(drawn);
  }, [draw, width]);
  return <div className="chart" ref={place} role="img" aria-label={label} />;
}

interface Point {
  at: Date;
  value: number;
  what: string;
}

const COUNTS: [keyof Line, string, string][] = [
  ["sends", "sent", "var(--c1)"],
  ["receives", "delivered", "var(--c2)"],
];
const TROUBLE: [keyof Line, string, string][] = [
  ["again", "repeated", "var(--c3)"],
  ["failed", "failed", "var(--bad)"],
];
const WAITS: [keyof Line, string, string][] = [
  ["p50_ms", "median", "var(--c1)"],
  ["p95_ms", "95 of 100", "var(--c4)"],
];
const SHOWN = { counts: COUNTS, trouble: TROUBLE, waits: WAITS };
const TITLES = {
  counts: "Messages a second",
  trouble: "Repeated and failed messages",
  waits: "Time from send to first receive, in milliseconds",
};

function points(line: Line, what: [keyof Line, string, string][], perSecond: boolean): Point[] {
  const { begin_ms, width_ms, parts } = page.timelines;
  const found: Point[] = [];
  for (const [name, title] of what) {
    for (let part = 0; part < parts; part++) {
      const known = line[name]?.[part];
      const value = name.endsWith("_ms") ? known : (known ?? 0);
      if (value === null || value === undefined) continue;
      found.push({
        at: new Date(begin_ms + (part + 0.5) * width_ms),
        value: perSecond ? (value * 1000) / width_ms : value,
        what: title,
      });
    }
  }
  return found;
}

/** A timeline: rates, trouble or latencies. */
export function Timeline({ line, shows, height = 150 }: {
  line: Line;
  shows: keyof typeof SHOWN;
  height?: number;
}): ReactNode {
  const what = SHOWN[shows];
  const known = points(line, what, shows === "counts");
  const [said, setSaid] = useState("");
  const colours = { domain: what.map((each) => each[1]), range: what.map((each) => each[2]) };
  const { begin_ms, width_ms, parts } = page.timelines;
  const extent = [new Date(begin_ms), new Date(begin_ms + parts * width_ms)];
  const draw = (width: number): SVGSVGElement | HTMLElement => {
    const marks: Plot.Markish[] = [Plot.ruleY([0], { stroke: "var(--line)" })];
    if (shows === "trouble") {
      marks.push(
        Plot.rectY(known.filter((each) => each.value > 0), {
          x1: (each: Point) => new Date(+each.at - width_ms / 2),
          x2: (each: Point) => new Date(+each.at + width_ms / 2),
          y: "value", fill: "what", z: "what", inset: 0.5,
        }),
      );
    } else {
      if (shows === "counts") marks.push(Plot.areaY(known, { x: "at", y2: "value", y1: 0, fill: "what", z: "what", fillOpacity: 0.12, curve: "linear" }));
      marks.push(Plot.lineY(known, { x: "at", y: "value", stroke: "what", z: "what", strokeWidth: 1.75, curve: "linear" }));
      if (shows === "waits") {
        for (const [, title, fill] of what) marks.push(Plot.dot(known.filter((each) => each.what === title), { x: "at", y: "value", fill, r: 2 }));
      }
    }
    const plot = Plot.plot({
      width, height, marginLeft: 52, marginRight: 12, marginTop: 12, marginBottom: 26,
      style: { background: "transparent", color: "var(--muted)", fontSize: "11px", fontFamily: "inherit", overflow: "visible" },
      x: { type: "utc", domain: extent, label: null },
      y: { grid: true, label: null, zero: true, nice: true, ticks: Math.max(2, Math.floor(height / 42)) },
      color: colours,
      marks: [
        ...marks,
        Plot.ruleX(known, Plot.pointerX({ x: "at", stroke: "var(--muted)", strokeOpacity: 0.5 })),
      ],
    });
    plot.addEventListener("input", () => {
      const at = (plot as unknown as { value: Point | null }).value?.at;
      setSaid(at ? told(known.filter((each) => +each.at === +at), shows) : "");
    });
    return plot;
  };
  const key = useKeptDraw(draw, [line, shows, height]);
  return (
    <figure className="timeline">
      <figcaption>
        <span className="timeline-title">{TITLES[shows]}</span>
        <span className="legend">
          {what.map(([name, title, colour]) => (
            <span key={name}>
              <span className="swatch" style={{ background: colour }} aria-hidden="true" /> {title}
            </span>
          ))}
        </span>
        <span className="said" aria-hidden="true">{said}</span>
      </figcaption>
      <Chart draw={key} label={`${TITLES[shows]}: ${summary(known, what, shows)}`} />
    </figure>
  );
}

/** The same function for as long as what it draws is the same. */
function useKeptDraw<Draw>(draw: Draw, shown: unknown[]): Draw {
  const kept = useRef<{ draw: Draw; shown: unknown[] } | null>(null);
  if (!kept.current || kept.current.shown.some((each, place) => each !== shown[place])) kept.current = { draw, shown };
  return kept.current.draw;
}

function told(known: Point[], shows: keyof typeof SHOWN): string {
  const at = known[0]?.at.toISOString().slice(11, 23) ?? "";
  return `${at} ${known.map((each) => `${shows === "waits" ? duration(each.value) : Number(each.value.toPrecision(3))} ${each.what}`).join(", ")}`;
}

function summary(known: Point[], what: [keyof Line, string, string][], shows: keyof typeof SHOWN): string {
  return what
    .map(([, title]) => {
      const values = known.filter((each) => each.what === title).map((each) => each.value);
      const most = Math.max(0, ...values);
      return shows === "waits" ? `${title} at most ${duration(most)}` : `${title} at most ${count(Number(most.toPrecision(3)))}`;
    })
    .join(", ");
}

/** A small timeline without axes, for tables. */
export function Spark({ values, label }: { values: number[]; label: string }): ReactNode {
  const most = Math.max(1, ...values);
  const step = 100 / Math.max(1, values.length);
  return (
    <svg className="spark" viewBox="0 0 100 20" preserveAspectRatio="none" role="img" aria-label={label}>
      {values.map((value, place) =>
        value ? <rect key={place} x={place * step} width={step} y={20 - (value / most) * 20} height={(value / most) * 20} /> : null,
      )}
    </svg>
  );
}
