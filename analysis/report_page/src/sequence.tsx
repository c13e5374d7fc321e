// One execution as a sequence: a line for each service, an arrow for each message, first things first. Drawn by Observable Plot.

import * as Plot from "@observablehq/plot";
import { type ReactNode, useCallback } from "react";
import { Chart } from "./chart";
import { type Execution, type Moment, serviceName } from "./data";
import { duration } from "./format";

const ROW = 32;
const LANE = 150;

interface Row {
  row: number;
  at: number;
  from: string;
  to: string;
  text: string;
  tone: "sent" | "sure" | "unsure" | "failed" | "inside";
  /** Nothing was seen to receive it. */
  lost: boolean;
}

/** What there is to draw: messages that arrive, that don't, and what happens within a service. */
export function sequenceRows(execution: Execution, inProcess: boolean): Row[] {
  const { moments } = execution;
  const received = new Set(moments.filter((each) => each.kind === "receive" || each.kind === "process").map((each) => each.follows));
  const rows: Omit<Row, "row">[] = [];
  moments.forEach((each, place) => {
    const row = rowOf(each, place, moments, received, inProcess);
    if (row) rows.push(row);
  });
  return rows.map((each, row) => ({ ...each, row }));
}

/** A service's place as the name of its line: names may be alike. */
function lane(service: number | null): string {
  return service === null ? "outside" : String(service);
}

function nameOf(line: string): string {
  return serviceName(line === "outside" ? null : Number(line));
}

function rowOf(each: Moment, place: number, moments: Moment[], received: Set<number | null>, inProcess: boolean): Omit<Row, "row"> | null {
  const here = lane(each.service);
  const failed = each.error || ["raised", "nack", "reject", "requeue", "returned"].includes(each.outcome);
  const trouble = failed ? `, ${each.error || each.outcome}` : "";
  const row = { at: each.at_ms, from: here, to: here, lost: false };
  if (each.kind === "trigger") return { ...row, text: `${each.function || "begins"}${trouble}`, tone: failed ? "failed" : "inside" };
  if (each.kind === "receive") {
    const send = each.follows === null ? undefined : moments[each.follows];
    const from = send?.kind === "send" ? lane(send.service) : here;
    if (from === here && send && !inProcess) return null;
    const took = send ? `, ${duration(Math.max(0, each.at_ms - send.at_ms))}` : "";
    return { ...row, from, text: `${each.name}${took}${trouble}`, tone: failed ? "failed" : each.certainty === "exact" ? "sure" : "unsure" };
  }
  if (each.kind === "send" && !received.has(place)) return { ...row, text: `${each.name}: no receive found${trouble}`, tone: failed ? "failed" : "sent", lost: true };
  if (each.kind === "process" && (inProcess || failed)) return { ...row, text: `${each.function || "handler"}${each.took_ms === null ? "" : `, ${duration(each.took_ms)}`}${trouble}`, tone: failed ? "failed" : "inside" };
  if (each.kind === "call") return { ...row, text: `calls ${each.channel || each.name || each.function}${trouble}`, tone: failed ? "failed" : "inside" };
  if (each.kind === "settle" && failed) return { ...row, text: `refuses it${trouble}`, tone: "failed" };
  return null;
}

const COLOURS = { sent: "var(--c3)", sure: "var(--c1)", unsure: "var(--c1)", failed: "var(--bad)", inside: "var(--muted)" };

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, Math.max(1, most - 1))}…` : text;
}

function drawn(rows: Row[], services: string[], width: number): SVGSVGElement | HTMLElement {
  const letters = Math.max(6, Math.floor((width - 70) / services.length / 6.4));
  const middle = (row: Row): string => (services.indexOf(row.from) <= services.indexOf(row.to) ? row.from : row.to);
  const steps = (row: Row): number => Math.abs(services.indexOf(row.from) - services.indexOf(row.to));
  const across = rows.filter((row) => row.from !== row.to);
  const inside = rows.filter((row) => row.from === row.to);
  const last = services.length - 1;
  const label = (row: Row): string => cut(row.text, Math.max(letters, letters * Math.max(1, steps(row))));
  return Plot.plot({
    width,
    height: rows.length * ROW + 70,
    marginTop: 44, marginBottom: 14, marginLeft: 70, marginRight: 0,
    style: { background: "transparent", color: "var(--text)", fontSize: "12px", fontFamily: "inherit", overflow: "visible" },
    x: { type: "point", domain: services, padding: 0.5, axis: null },
    y: { domain: [-0.6, rows.length - 0.3], reverse: true, axis: null },
    marks: [
      Plot.ruleX(services, { stroke: "var(--line-strong)", strokeDasharray: "2 4" }),
      Plot.text(services, { x: (each: string) => each, frameAnchor: "top", dy: -26, text: (each: string) => cut(nameOf(each), letters), fontWeight: 600, fill: "var(--text)" }),
      Plot.text(rows, { frameAnchor: "left", y: "row", dx: -62, textAnchor: "start", text: (row: Row) => duration(row.at), fill: "var(--muted)", fontSize: 11, fontVariant: "tabular-nums" }),
      ...(["sure", "unsure", "failed"] as const).map((tone) =>
        Plot.arrow(across.filter((row) => row.tone === tone), {
          x1: "from", x2: "to", y1: "row", y2: "row", stroke: COLOURS[tone], strokeWidth: 1.6, headLength: 7, headAngle: 45, inset: 3,
          ...(tone === "unsure" ? { strokeDasharray: "5 3" } : {}),
        }),
      ),
      Plot.text(across, {
        x: middle, y: "row", dx: 8, dy: -10, textAnchor: "start", text: label, stroke: "var(--surface)", strokeWidth: 4,
        fill: (row: Row) => (row.tone === "failed" ? "var(--bad)" : "var(--text)"),
      }),
      Plot.dot(inside, { x: "from", y: "row", r: 4, fill: (row: Row) => COLOURS[row.tone], symbol: "circle", stroke: "var(--surface)" }),
      ...([false, true] as const).map((left) =>
        Plot.text(inside.filter((row) => (services.indexOf(row.from) === last && last > 0) === left), {
          x: "from", y: "row", dx: left ? -9 : 9, textAnchor: left ? "end" : "start", text: label, stroke: "var(--surface)", strokeWidth: 4,
          fill: (row: Row) => (row.tone === "inside" ? "var(--muted)" : COLOURS[row.tone]),
        }),
      ),
    ],
  });
}

export function Sequence({ execution, inProcess }: { execution: Execution; inProcess: boolean }): ReactNode {
  const draw = useCallback((width: number) => {
    const rows = sequenceRows(execution, inProcess);
    const services = [...new Set(rows.flatMap((row) => [row.from, row.to]))];
    return rows.length ? drawn(rows, services, Math.max(width, services.length * LANE + 70)) : null;
  }, [execution, inProcess]);
  const many = sequenceRows(execution, inProcess).length;
  return (
    <div className="panel scrolls" tabIndex={0} role="region" aria-label="The conversation as a sequence">
      <Chart draw={draw} label={`Sequence of ${many} steps; the table below has them all.`} />
      <p className="legend">
        <span><i className="key-line c1" /> received</span>
        <span><i className="key-line c1 dashed" /> likely the same message</span>
        <span><i className="key-line many" /> failed</span>
        <span><span className="swatch round c3" /> no receive found</span>
      </p>
    </div>
  );
}
