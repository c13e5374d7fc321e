// A drawing of boxes and arrows that can be zoomed, moved, searched and walked through by keyboard (React Flow), and the same
// as a still picture for paper.

import {
  BaseEdge, Background, Controls, type Edge, type EdgeProps, Handle, MiniMap, type Node, type NodeProps, Position,
  ReactFlow, ReactFlowProvider, useReactFlow,
} from "@xyflow/react";
import { type ReactNode, useEffect, useMemo, useState } from "react";
import { type Arrow, type Box, busiest, HEIGHT, type Laid, laidOut, path, type Spot, tone, widthOf, widths } from "./layout";
import { Name } from "./parts";
import { Table } from "./table";

type BoxNode = Node<{ box: Box; state: string }, "box">;
type ArrowEdge = Edge<{ arrow: Arrow; way: Spot[]; width: number; state: string }, "arrow">;

function BoxShape({ data }: NodeProps<BoxNode>): ReactNode {
  const { box, state } = data;
  return (
    <div className={`box ${box.kind} ${state}`} title={`${box.title}: ${box.about}`}>
      <Handle type="target" position={Position.Left} isConnectable={false} />
      <span className="box-over">{box.over}</span>
      <span className="box-title"><bdi>{box.title}</bdi></span>
      <Handle type="source" position={Position.Right} isConnectable={false} />
    </div>
  );
}

function ArrowShape({ id, data, markerEnd }: EdgeProps<ArrowEdge>): ReactNode {
  if (!data) return null;
  const { arrow, way, width, state } = data;
  return (
    <g className={`arrow ${tone(arrow.failed)} ${state}`}>
      <title>{arrow.about}</title>
      <BaseEdge id={id} path={path(way)} markerEnd={markerEnd} style={{ strokeWidth: width, strokeDasharray: arrow.dashed ? "5 4" : undefined }} interactionWidth={14} />
    </g>
  );
}

const NOWHERE = { x: 0, y: 0 };
const NODE_TYPES = { box: BoxShape };
const EDGE_TYPES = { arrow: ArrowShape };
const ARIA = {
  "node.a11yDescription.default": "Press Enter to see what it is connected with, Escape to see all.",
  "edge.a11yDescription.default": "Press Enter to see what it is.",
};

/** What is lit up: what was chosen and all that touches it. */
function lit(arrows: Arrow[], chosen: string | null): ReadonlySet<string> | null {
  if (chosen === null) return null;
  const found = new Set([chosen]);
  for (const each of arrows) {
    if (each.source === chosen || each.target === chosen) {
      found.add(each.id).add(each.source).add(each.target);
    }
    if (each.id === chosen) found.add(each.source).add(each.target);
  }
  return found;
}

/** As high as the drawing needs where the page is as wide as usual; within bounds that the sheet sets. */
function heightOf(laid: Laid): string {
  return `${Math.round(laid.height * Math.min(1.1, 1150 / Math.max(1, laid.width)) + 110)}px`;
}

export interface DrawingProps {
  title: string;
  boxes: Box[];
  arrows: Arrow[];
  /** What is searched for: boxes with it are marked, and the drawing goes to the first. */
  wanted?: string;
  chosen: string | null;
  choose: (id: string | null) => void;
  legend?: ReactNode;
}

export function Drawing(props: DrawingProps): ReactNode {
  const [laid, setLaid] = useState<{ of: Box[]; and: Arrow[]; laid: Laid } | null>(null);
  const [problem, setProblem] = useState("");
  const { boxes, arrows } = useMemo(() => busiest(props.boxes, props.arrows), [props.boxes, props.arrows]);
  useEffect(() => {
    let current = true;
    laidOut(boxes, arrows).then(
      (found) => current && setLaid({ of: boxes, and: arrows, laid: found }),
      (error: unknown) => current && setProblem(String(error)),
    );
    return () => {
      current = false;
    };
  }, [boxes, arrows]);
  if (problem) return <p className="warning">This could not be drawn: {problem}</p>;
  if (!laid) return <p className="muted" role="status">Drawing {boxes.length} boxes and {arrows.length} arrows …</p>;
  return (
    <>
      <div className="above-drawing">
        {props.legend}
        <span className="hint">Drag to move, Ctrl and wheel to zoom, click a box to see what it is connected with</span>
      </div>
      {props.arrows.length > laid.and.length ? (
        <p className="warning" role="status">
          The {laid.and.length} busiest of {props.arrows.length} connections are drawn. Choose a service, a system, a channel or an event type to see the others; the table below has all of them.
        </p>
      ) : null}
      <Heads />
      <div className="drawing" style={{ height: heightOf(laid.laid) }} role="group" aria-label={`${props.title}: ${laid.of.length} boxes, ${laid.and.length} arrows. The same stands in the table below.`}>
        <ReactFlowProvider>
          <Moving {...props} boxes={laid.of} arrows={laid.and} laid={laid.laid} />
        </ReactFlowProvider>
      </div>
      <Still title={props.title} boxes={laid.of} arrows={laid.and} laid={laid.laid} />
      <AsTable {...props} />
    </>
  );
}

function Moving({ boxes, arrows, laid, wanted = "", chosen, choose }: DrawingProps & { laid: Laid }): ReactNode {
  const flow = useReactFlow<BoxNode, ArrowEdge>();
  const bright = useMemo(() => lit(arrows, chosen), [arrows, chosen]);
  const words = wanted.trim().toLowerCase();
  const found = useMemo(() => (words ? boxes.filter((each) => each.title.toLowerCase().includes(words)) : []), [boxes, words]);
  const marked = useMemo(() => new Set(found.map((each) => each.id)), [found]);
  const nodes = useMemo(() => boxes.map((box): BoxNode => ({
    id: box.id,
    type: "box",
    position: laid.boxes.get(box.id) ?? NOWHERE,
    data: { box, state: `${bright && !bright.has(box.id) ? "dim" : ""} ${marked.has(box.id) ? "found" : ""}` },
    width: widthOf(box),
    height: HEIGHT,
    selected: box.id === chosen,
    ariaLabel: `${box.over} ${box.title}: ${box.about}`,
  })), [boxes, laid, bright, marked, chosen]);
  const edges = useMemo(() => {
    const width = widths(arrows);
    return arrows.map((arrow): ArrowEdge => ({
      id: arrow.id,
      type: "arrow",
      source: arrow.source,
      target: arrow.target,
      data: { arrow, way: laid.ways.get(arrow.id) ?? [], width: width(arrow.rate), state: bright ? (bright.has(arrow.id) ? "lit" : "dim") : "" },
      selected: arrow.id === chosen,
      markerEnd: `head-${tone(arrow.failed)}`,
      focusable: false,
    }));
  }, [arrows, laid, bright, chosen]);
  useEffect(() => {
    void flow.fitView({ padding: 0.06, maxZoom: 1.1, minZoom: 0.05 });
  }, [flow, laid]);
  useEffect(() => {
    if (found.length) void flow.fitView({ nodes: found.slice(0, 8).map((each) => ({ id: each.id })), padding: 0.4, maxZoom: 1.1 });
    else if (!words) void flow.fitView({ padding: 0.06, maxZoom: 1.1, minZoom: 0.05 });
  }, [flow, found, words]);
  return (
    <ReactFlow
      nodes={nodes}
      edges={edges}
      nodeTypes={NODE_TYPES}
      edgeTypes={EDGE_TYPES}
      onNodeClick={(_, node) => choose(node.id === chosen ? null : node.id)}
      onEdgeClick={(_, edge) => choose(edge.id === chosen ? null : edge.id)}
      onPaneClick={() => choose(null)}
      onSelectionChange={undefined}
      onKeyDown={(event) => {
        if (event.key === "Escape") choose(null);
        const id = (event.target as HTMLElement).closest?.(".react-flow__node")?.getAttribute("data-id");
        if (id && (event.key === "Enter" || event.key === " ")) {
          event.preventDefault();
          choose(id === chosen ? null : id);
        }
      }}
      nodesDraggable={false}
      nodesConnectable={false}
      nodesFocusable
      edgesFocusable={false}
      elementsSelectable={false}
      onlyRenderVisibleElements={boxes.length > 250}
      minZoom={0.05}
      maxZoom={2}
      zoomOnScroll={false}
      panOnScroll={false}
      preventScrolling={false}
      zoomActivationKeyCode={["Meta", "Control"]}
      colorMode="light"
      ariaLabelConfig={ARIA}
      proOptions={{ hideAttribution: true }}
      fitView
      fitViewOptions={{ padding: 0.06, maxZoom: 1.1, minZoom: 0.05 }}
    >
      <Background gap={22} size={1} color="var(--line)" />
      <Controls showInteractive={false} />
      {boxes.length > 25 ? <MiniMap pannable zoomable ariaLabel="Overview of the drawing" nodeColor="var(--mini)" maskColor="var(--mask)" /> : null}
    </ReactFlow>
  );
}

function Heads(): ReactNode {
  return (
    <svg className="heads" aria-hidden="true">
      <defs>
        {["unknown", "well", "few", "some", "many"].map((each) => (
          <marker key={each} id={`head-${each}`} className={`head ${each}`} viewBox="0 0 10 10" refX="9" refY="5" markerWidth="11" markerHeight="11" markerUnits="userSpaceOnUse" orient="auto-start-reverse">
            <path d="M0,0.5L10,5L0,9.5z" />
          </marker>
        ))}
      </defs>
    </svg>
  );
}

/** The drawing as one picture: what is printed. */
function Still({ title, boxes, arrows, laid }: { title: string; boxes: Box[]; arrows: Arrow[]; laid: Laid }): ReactNode {
  const width = widths(arrows);
  const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
  return (
    <svg className="still" viewBox={`-8 -8 ${laid.width + 16} ${laid.height + 16}`} role="img" aria-label={title} aria-hidden="true">
      {arrows.map((each) => (
        <path key={each.id} className={`arrow ${tone(each.failed)}`} d={path(laid.ways.get(each.id) ?? [])} style={{ strokeWidth: width(each.rate), strokeDasharray: each.dashed ? "5 4" : undefined }} markerEnd={`url(#head-${tone(each.failed)})`} />
      ))}
      {boxes.map((each) => {
        const spot = laid.boxes.get(each.id);
        if (!spot) return null;
        return (
          <g key={each.id} className={`still-box ${each.kind}`} transform={`translate(${spot.x},${spot.y})`}>
            <rect width={widthOf(each)} height={HEIGHT} rx={each.kind === "service" ? 8 : 22} />
            <text x={widthOf(each) / 2} y={17} className="still-over">{each.over}</text>
            <text x={widthOf(each) / 2} y={34}>{cut(each.title, 30)}</text>
          </g>
        );
      })}
    </svg>
  );
}

function AsTable({ title, boxes, arrows }: DrawingProps): ReactNode {
  const named = useMemo(() => new Map(boxes.map((each) => [each.id, each.title])), [boxes]);
  return (
    <details className="as-table">
      <summary>{title} as a table</summary>
      <Table
        caption={`${title} as a table`}
        rows={arrows}
        rowKey={(row) => row.id}
        columns={[
          { name: "From", cell: (row) => <Name>{named.get(row.source) ?? ""}</Name>, by: (row) => named.get(row.source) ?? "" },
          { name: "To", cell: (row) => <Name>{named.get(row.target) ?? ""}</Name>, by: (row) => named.get(row.target) ?? "" },
          { name: "What", cell: (row) => <Name>{row.label}</Name>, by: (row) => row.label, wide: true },
          { name: "About", cell: (row) => <bdi>{row.about}</bdi>, wide: true },
        ]}
      />
    </details>
  );
}
