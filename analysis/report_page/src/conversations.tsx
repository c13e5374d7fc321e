// Flows, and real executions of them: every message between services in the order in which it happened.

import { type ReactNode, useState } from "react";
import { Check, Choice, Filters } from "./controls";
import { type Execution, page, serviceName } from "./data";
import { count, duration, plural, time } from "./format";
import { EventLink, Name, Nothing, Section, ServiceName, Sure, Tag } from "./parts";
import { go } from "./router";
import { Sequence } from "./sequence";
import { Table } from "./table";

function flowName(execution: Execution): string {
  const flow = page.flows[execution.flow];
  return flow ? `${flow.name} (${serviceName(flow.group)})` : "";
}

function wayOf(execution: Execution): string {
  const variant = page.flows[execution.flow]?.variants[execution.variant];
  if (!variant) return "";
  return `${variant.failed ? "failed" : execution.variant ? "another" : "the usual"} way, ${count(variant.executions)}×`;
}

export function ConversationsPage({ chosen }: { chosen: number }): ReactNode {
  const execution = page.executions[chosen] ?? page.executions[0];
  return (
    <>
      <h1>Conversations</h1>
      {execution ? <Shown execution={execution} chosen={page.executions.indexOf(execution)} /> : <Nothing>No execution of a flow can be told from the others in this trace.</Nothing>}
      <Flows />
    </>
  );
}

/** Every execution that is in the report, drawn one after the other. */
export function AllConversations(): ReactNode {
  return (
    <>
      <h1>Conversations</h1>
      {page.executions.map((each, place) => (
        <section key={place} className="section">
          <h2><bdi>{flowName(each)}: {wayOf(each)}</bdi></h2>
          <Shown execution={each} chosen={place} />
        </section>
      ))}
      <Flows />
    </>
  );
}

function Shown({ execution, chosen }: { execution: Execution; chosen: number }): ReactNode {
  const flow = page.flows[execution.flow];
  const buses = execution.moments.some((each) => isInside(execution, each.follows, each.service));
  const [inProcess, setInProcess] = useState(false);
  const services = new Set(execution.moments.map((each) => each.service));
  const last = Math.max(0, ...execution.moments.map((each) => each.at_ms + (each.took_ms ?? 0)));
  return (
    <>
      <Filters search={false}>
        <Choice label="Conversation" value={chosen} onChange={(value) => go(`/conversations/${value}`)} options={page.executions.map((each, place) => [place, `${flowName(each)}: ${wayOf(each)}`])} />
        {buses ? <Check label="what stays within a service" checked={inProcess} onChange={setInProcess} /> : null}
      </Filters>
      <p className="lead">
        One that was recorded at {time(execution.begun)}: {plural(services.size, "service")}, {plural(execution.moments.length, "operation")}, {duration(last)}
        {execution.left_out ? `; ${plural(execution.left_out, "operation")} more are not shown` : ""}.
        {flow?.style ? <> <Tag>{flow.style.kind}</Tag> <span className="muted"><bdi>{flow.style.reason}</bdi></span></> : null}
      </p>
      <Sequence execution={execution} inProcess={inProcess || services.size < 2} />
      <details className="as-table">
        <summary>The conversation as a table</summary>
        <Table
          caption="The conversation as a table"
          rows={execution.moments}
          rowKey={(row) => row.id}
          columns={[
            { name: "After", cell: (row) => duration(row.at_ms), number: true },
            { name: "Service", cell: (row) => <ServiceName service={row.service} /> },
            { name: "What", cell: (row) => <>{row.kind}{row.outcome && row.outcome !== "ok" && row.outcome !== "unknown" ? <Tag tone={row.error ? "bad" : "plain"}>{row.error || row.outcome}</Tag> : null}</> },
            { name: "Event type", cell: (row) => (row.event === null ? (row.name ? <Name>{row.name}</Name> : "–") : <EventLink event={row.event} />) },
            { name: "Channel", cell: (row) => (row.channel ? <Name code>{row.channel}</Name> : "–") },
            { name: "Code", cell: (row) => <><Name code>{row.function || "–"}</Name> {row.site ? <span className="muted"><Name>{row.site}</Name></span> : null}</> },
            { name: "Took", cell: (row) => duration(row.took_ms), number: true },
            { name: "Follows from", cell: (row) => (row.follows === null ? "–" : <>{execution.moments[row.follows]?.kind} after {duration(execution.moments[row.follows]?.at_ms)} <Sure certainty={row.certainty} /></>) },
            { name: "Operation", cell: (row) => row.id, number: true },
          ]}
        />
      </details>
    </>
  );
}

function isInside(execution: Execution, follows: number | null, service: number | null): boolean {
  return follows !== null && execution.moments[follows]?.service === service;
}

function Flows(): ReactNode {
  const rows = page.flows.map((flow, place) => ({ flow, place, shown: page.executions.findIndex((each) => each.flow === place) }));
  return (
    <Section title="All flows" note="What follows from one request, message or call: how often, how far, how long.">
      {rows.length ? (
        <Table
          caption="All flows"
          rows={rows}
          rowKey={(row) => row.place}
          first={["Executions", true]}
          columns={[
            { name: "Flow", cell: (row) => (row.shown >= 0 ? <a href={`#/conversations/${row.shown}`}><Name>{row.flow.name}</Name></a> : <Name>{row.flow.name}</Name>), by: (row) => row.flow.name },
            { name: "Begins in", cell: (row) => <ServiceName service={row.flow.group} />, by: (row) => serviceName(row.flow.group) },
            { name: "Executions", cell: (row) => count(row.flow.triggered), by: (row) => row.flow.triggered, number: true },
            { name: "Event types", cell: (row) => count(new Set(row.flow.steps.map((each) => each.event)).size), by: (row) => row.flow.steps.length, number: true },
            { name: "Depth", cell: (row) => count(row.flow.depth), by: (row) => row.flow.depth, number: true },
            { name: "Median", cell: (row) => duration(row.flow.end_to_end?.p50_ms), by: (row) => row.flow.end_to_end?.p50_ms ?? null, number: true },
            { name: "95 of 100", cell: (row) => duration(row.flow.end_to_end?.p95_ms), by: (row) => row.flow.end_to_end?.p95_ms ?? null, number: true },
            { name: "Ways", cell: (row) => ways(row.flow), wide: true },
            { name: "Certainty", cell: (row) => <Sure certainty={row.flow.evidence.certainty} /> },
          ]}
        />
      ) : (
        <Nothing>No message was seen to follow from anything.</Nothing>
      )}
      {page.flows_left_out ? <p className="note">{plural(page.flows_left_out, "flow")} more; msgtrace flows lists them.</p> : null}
    </Section>
  );
}

function ways(flow: (typeof page.flows)[number]): ReactNode {
  const failed = flow.variants.filter((each) => each.failed).reduce((sum, each) => sum + each.executions, 0);
  const known = flow.variants.length;
  return (
    <>
      {plural(known, "way")}
      {failed ? <>, <span className="bad">{count(failed)} with failures</span></> : null}
      {flow.unlisted ? `, ${count(flow.unlisted)} executions of others` : ""}
      {flow.ambiguous ? `, ${count(flow.ambiguous)} that can't be told apart` : ""}
    </>
  );
}
