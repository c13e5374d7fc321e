// One event type: who, how often, what it holds, how that changed.

import type { ReactNode } from "react";
import { Timeline } from "./chart";
import { useContract } from "./contracts";
import { channelOf, type Contract, type EventType, failures, page, type Party } from "./data";
import { bytes, count, duration, plural, rate, time } from "./format";
import { Card, ChannelTag, EventLink, Name, Nothing, Operations, Section, ServiceName, Sure, Tag } from "./parts";
import { FieldTree, Versions } from "./schema";
import { Table } from "./table";

export function EventPage({ event }: { event: number }): ReactNode {
  const known = page.events[event];
  const contract = useContract(event);
  if (!known) {
    return (
      <>
        <h1>Event types</h1>
        <Nothing>There is no such event type in this report. <a href="#/events">All event types</a></Nothing>
      </>
    );
  }
  return (
    <>
      <p className="crumbs"><a href="#/events">Event types</a></p>
      <h1><Name>{known.name}</Name></h1>
      <p className="lead">
        <Tag tone="accent">{known.kind}</Tag> <Sure certainty={known.kind_certainty} /> on <ChannelTag event={event} />
      </p>
      <p className="muted">
        Named by <Name>{known.named_by}</Name>.{" "}
        {known.reasons.length ? <>Held to be {/^[aeiou]/.test(known.kind) ? "an" : "a"} {known.kind}: <bdi>{known.reasons.join("; ")}</bdi>.</> : null}{" "}
        <Operations ids={known.evidence.examples} />
      </p>
      <div className="cards">
        <Card title="Sent" value={count(known.sends)} note={rate(known.per_second)} />
        <Card title="Delivered" value={count(known.receives)} note={known.line?.again ? `${count(total(known.line.again))} repeated` : "none repeated"} />
        <Card title="Failed" value={count(failures(known))} tone={failures(known) ? "bad" : undefined} note="sends and deliveries" />
        <Card title="Peak" value={rate(known.peak_per_second)} />
        <Card title="Body" value={known.bytes ? bytes(known.bytes[1]) : "–"} note={known.bytes ? `${bytes(known.bytes[0])} to ${bytes(known.bytes[2])}` : "no size known"} />
      </div>
      {known.schedules.map((each, place) => (
        <p key={place} className="note">
          Sent every {duration(each.period_s * 1000)}, give or take {duration(each.jitter_s * 1000)} ({each.ticks} times).{" "}
          <Sure certainty={each.certainty} />
        </p>
      ))}
      <Parties title="Published by" parties={known.publishers} nothing="No traced process published it." />
      <Parties title="Consumed by" parties={known.consumers} nothing="No traced process received it." />
      <Section
        title="Contract"
        note={contract ? <>Read from {plural(contract.samples, "body", "bodies")}{contract.unread ? `; ${count(contract.unread)} could not be read` : ""}{contract.cut ? `; ${count(contract.cut)} are known only in part` : ""}. <Sure certainty={contract.certainty} /></> : null}
      >
        {contract?.fields.length ? <FieldTree fields={contract.fields} left={contract.fields_left_out} /> : <Nothing>No body with fields was read.</Nothing>}
      </Section>
      {contract?.versions.length ? <Versions contract={contract} /> : null}
      {known.line ? (
        <Section title="Over time">
          <Timeline line={known.line} shows="counts" />
          {known.line.p50_ms ? <Timeline line={known.line} shows="waits" /> : null}
          {known.line.again || known.line.failed ? <Timeline line={known.line} shows="trouble" height={110} /> : null}
        </Section>
      ) : null}
      <Elsewhere known={known} contract={contract} />
      <p className="muted">First seen {time(known.evidence.first)}, last seen {time(known.evidence.last)}.</p>
    </>
  );
}

function total(values: number[]): number {
  return values.reduce((all, each) => all + each, 0);
}

function Parties({ title, parties, nothing }: { title: string; parties: Party[]; nothing: string }): ReactNode {
  return (
    <Section title={title}>
      {parties.length ? (
        <Table
          caption={title}
          rows={parties}
          rowKey={(_, place) => place}
          columns={[
            { name: "Service", cell: (row) => <ServiceName service={row.service} /> },
            { name: "Code", cell: (row) => (row.name ? <Name code>{row.name}</Name> : "–") },
            { name: "Site", cell: (row) => (row.site ? <Name code>{row.site}</Name> : "–"), wide: true },
            { name: "Messages", cell: (row) => count(row.operations), number: true },
            { name: "Certainty", cell: (row) => <Sure certainty={row.certainty} /> },
          ]}
        />
      ) : (
        <Nothing>{nothing}</Nothing>
      )}
    </Section>
  );
}

function Elsewhere({ known, contract }: { known: EventType; contract: Contract | null }): ReactNode {
  const channels = known.channels.length ? known.channels : [];
  const others = contract?.elsewhere ?? [];
  if (!channels.length && !known.also_on.length) return null;
  return (
    <Section title="Channels">
      {channels.length ? <p>Some of the channels that the pattern stands for: {channels.map((each) => <span key={each}><Name code>{each}</Name> </span>)}</p> : null}
      {known.also_on.length ? (
        <ul>
          {known.also_on.map((other) => {
            const found = others.find((each) => each.event === other);
            return (
              <li key={other}>
                Also on <ChannelTag event={other} />: <EventLink event={other} />
                {found ? (found.count ? `, with ${plural(found.count, "difference")} in the body` : ", with the same body") : ""}
                {found?.differences.length ? (
                  <ul>{found.differences.map((each) => <li key={each.path + each.what}><Name code>{each.path}</Name> <bdi>{each.what}</bdi></li>)}</ul>
                ) : null}
              </li>
            );
          })}
        </ul>
      ) : null}
      <p className="muted">{channelOf(known).system}</p>
    </Section>
  );
}
