// What this system is, in numbers, and what the trace does not say.

import type { ReactNode } from "react";
import { Timeline } from "./chart";
import { channelOf, page } from "./data";
import { count, duration, percent, plural, rate, time } from "./format";
import { Card, Nothing, Operations, Section, ServiceName, Sure, Tag } from "./parts";
import { Name } from "./parts";
import { Table } from "./table";

function sum(values: Iterable<number>): number {
  let all = 0;
  for (const each of values) all += each;
  return all;
}

export function OverviewPage(): ReactNode {
  const { trace, completeness } = page;
  const sends = sum(page.events.map((each) => each.sends));
  const receives = sum(page.events.map((each) => each.receives));
  const whole = page.timelines.whole;
  const failed = sum(whole?.failed ?? []);
  const again = sum(whole?.again ?? []);
  const lost = sum(completeness.losses.map((each) => each.lost));
  const system = page.resilience.scores.find((each) => each.scope === "system");
  const brokers = new Set(page.events.map((each) => channelOf(each).system).filter(Boolean));
  return (
    <>
      <h1>Overview</h1>
      <p className="lead">
        {plural(page.services.length, "service")} exchanged {plural(sends, "message")} of{" "}
        {plural(page.events.length, "event type")} in {duration(page.frequencies.seconds * 1000)}
        {brokers.size ? <>, over {[...brokers].sort().join(", ")}</> : null}. {page.frequencies.note ? `Rates are ${page.frequencies.note}.` : ""}
      </p>
      <Warnings lost={lost} />
      <div className="cards">
        <Card title="Event types" value={count(page.events.length)} href="#/events" />
        <Card title="Services" value={count(page.services.length)} note={plural(sum(page.services.map((each) => each.processes)), "process", "processes")} href="#/graph" />
        <Card title="Channels" value={count(page.topology.channels.length + page.topology.left_out)} href="#/topology" />
        <Card title="Messages sent" value={count(sends)} note={rate(page.frequencies.seconds ? sends / page.frequencies.seconds : null)} href="#/timelines" />
        <Card title="Deliveries" value={count(receives)} note={again ? `${count(again)} of them repeated` : "none of them repeated"} href="#/timelines" />
        <Card title="Failed" value={count(failed)} note={sends + receives ? `${percent(failed / (sends + receives))} of sends and deliveries` : undefined} tone={failed ? "bad" : "good"} href="#/timelines" />
        <Card title="Resilience" value={system ? `${Math.round(system.points)} of 100` : "–"} note={system ? `${Math.round(system.best)} if all that is unknown is well` : "nothing to score"} href="#/resilience" />
        <Card title="Not recorded" value={count(lost)} note={lost ? "see below" : "no loss was counted"} tone={lost ? "warn" : "good"} />
      </div>
      {whole ? (
        <Section title="Traffic">
          <Timeline line={whole} shows="counts" height={180} />
        </Section>
      ) : null}
      <Observations />
      <Services />
      <Losses lost={lost} />
      <Stack />
      <p className="muted">
        {plural(trace.operations, "operation")} from {time(trace.first)} to {time(trace.last)}.
      </p>
    </>
  );
}

function Warnings({ lost }: { lost: number }): ReactNode {
  const said: string[] = [];
  if (page.trace.recording) said.push("The recording was still going on: this is what there was until then.");
  if (page.trace.note) said.push(`Links may be incomplete: ${page.trace.note}`);
  if (!page.trace.operations) said.push("The trace is empty. `msgtrace doctor` says what is hooked.");
  if (lost) said.push(`${plural(lost, "thing")} could not be recorded: see what is missing below.`);
  return said.map((each) => <p key={each} className="warning">{each}</p>);
}

function Observations(): ReactNode {
  return (
    <Section title="Worth a look" note="What was seen, and gives reason to look. Each names operations to look at with msgtrace show.">
      {page.observations.length ? (
        <ul className="observations">
          {page.observations.slice(0, 100).map((each, place) => (
            <li key={place}>
              <bdi>{each.sentence}</bdi> <Sure certainty={each.certainty} /> <Operations ids={each.operations} />
            </li>
          ))}
        </ul>
      ) : (
        <Nothing>Nothing stood out.</Nothing>
      )}
    </Section>
  );
}

function Services(): ReactNode {
  const published = new Map<number, number>();
  const consumed = new Map<number, number>();
  for (const event of page.events) {
    for (const each of event.publishers) if (each.service !== null) published.set(each.service, (published.get(each.service) ?? 0) + each.operations);
    for (const each of event.consumers) if (each.service !== null) consumed.set(each.service, (consumed.get(each.service) ?? 0) + each.operations);
  }
  const rows = page.services.map((each, place) => ({ ...each, place, sends: published.get(place) ?? 0, receives: consumed.get(place) ?? 0 }));
  return (
    <Section title="Services">
      <Table
        caption="Services"
        rows={rows}
        rowKey={(row) => row.place}
        first={["Sent", true]}
        columns={[
          { name: "Service", cell: (row) => <ServiceName service={row.place} />, by: (row) => row.name },
          { name: "Processes", cell: (row) => count(row.processes), by: (row) => row.processes, number: true },
          { name: "Python", cell: (row) => row.pythons.join(", ") || "–" },
          { name: "Sent", cell: (row) => count(row.sends), by: (row) => row.sends, number: true },
          { name: "Received", cell: (row) => count(row.receives), by: (row) => row.receives, number: true },
          { name: "Operations", cell: (row) => count(row.operations), by: (row) => row.operations, number: true },
        ]}
      />
    </Section>
  );
}

function Losses({ lost }: { lost: number }): ReactNode {
  const known = page.completeness;
  const facts: [string, string][] = [
    ["Deliveries whose send was found", Object.entries(known.links).map(([how, many]) => `${count(many)} ${how}`).join(", ") || "none"],
    ["Sends whose cause was found", Object.entries(known.causes).map(([how, many]) => `${count(many)} ${how}`).join(", ") || "none"],
    ["Sends without a known cause", count(known.uncaused)],
    ["Operations whose end was not seen", count(known.unfinished)],
    ["Bodies that could not be decoded", count(known.unread)],
    ["Secrets that were replaced", count(known.redacted)],
  ];
  return (
    <Section title="What the trace explains, and what is missing">
      <dl className="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {known.losses.length ? (
        <>
          <h3>Not recorded</h3>
          <Table
            caption="What was not recorded"
            rows={known.losses}
            rowKey={(_, place) => place}
            first={["Lost", true]}
            columns={[
              { name: "Service", cell: (row) => <Name>{row.service}</Name>, by: (row) => row.service },
              { name: "Reason", cell: (row) => <Name>{row.reason}</Name>, by: (row) => row.reason },
              { name: "Detail", cell: (row) => (row.detail ? <Name>{row.detail}</Name> : "–") },
              { name: "Lost", cell: (row) => count(row.lost), by: (row) => row.lost, number: true },
            ]}
          />
        </>
      ) : (
        <p className="note">{lost ? "" : "No loss was counted: nothing was dropped, cut or left undecoded."}</p>
      )}
      {known.unlinked.length ? (
        <>
          <h3>Without the other end</h3>
          <Table
            caption="Sends without a receive, and receives without a send"
            rows={known.unlinked}
            rowKey={(_, place) => place}
            first={["Messages", true]}
            columns={[
              { name: "Side", cell: (row) => (row.side === "send" ? "sent, no receive found" : "received, no send found") },
              { name: "Channel", cell: (row) => <><Tag>{row.system || "in process"}</Tag> <Name code>{row.channel}</Name></>, by: (row) => row.channel },
              { name: "Likely reason", cell: (row) => row.reason, wide: true },
              { name: "Messages", cell: (row) => count(row.operations), by: (row) => row.operations, number: true },
            ]}
          />
        </>
      ) : null}
    </Section>
  );
}

function Stack(): ReactNode {
  return (
    <Section title="Libraries and servers">
      <Table
        caption="Libraries and servers"
        rows={[
          ...page.trace.clients.map((each) => ({ system: each.system, what: "library", name: each.client, services: each.services })),
          ...page.trace.servers.map((each) => ({ system: each.system, what: plural(each.connections, "connection"), name: each.address, services: each.services })),
        ]}
        rowKey={(_, place) => place}
        columns={[
          { name: "System", cell: (row) => <Tag>{row.system || "in process"}</Tag>, by: (row) => row.system },
          { name: "Name", cell: (row) => <Name code>{row.name}</Name>, by: (row) => row.name },
          { name: "What", cell: (row) => row.what },
          { name: "Used by", cell: (row) => <Name>{row.services.join(", ")}</Name>, wide: true },
        ]}
      />
    </Section>
  );
}
