// How traffic went over time: all of it, and one event type after the other; and how messages were tried again.

import { type ReactNode, useMemo, useState } from "react";
import { Timeline } from "./chart";
import { Filters, Search } from "./controls";
import { page } from "./data";
import { count, duration, plural } from "./format";
import { ChannelTag, EventLink, Name, Nothing, Section, Sure, Tag } from "./parts";
import { useWhole } from "./printing";
import { Table } from "./table";

const STEP = 8;

export function TimelinesPage(): ReactNode {
  const [wanted, setWanted] = useState("");
  const [asked, setMany] = useState(STEP);
  const all = useWhole();
  const words = wanted.trim().toLowerCase();
  const rows = useMemo(
    () => page.events
      .map((event, place) => ({ event, place }))
      .filter((each) => each.event.line && each.event.name.toLowerCase().includes(words))
      .sort((one, other) => other.event.sends + other.event.receives - one.event.sends - one.event.receives || one.place - other.place),
    [words],
  );
  const many = all ? rows.length : asked;
  const whole = page.timelines.whole;
  if (!whole) {
    return (
      <>
        <h1>Timelines</h1>
        <Nothing>No message was seen in this trace.</Nothing>
      </>
    );
  }
  return (
    <>
      <h1>Timelines</h1>
      <p className="lead">
        {page.timelines.parts} parts of {duration(page.timelines.width_ms)} each, from the first message to the last. Times are UTC.
      </p>
      <Section title="All messages">
        <Timeline line={whole} shows="counts" height={190} />
        {whole.p50_ms?.some((each) => each !== null) ? <Timeline line={whole} shows="waits" height={170} /> : null}
        {whole.again?.some(Boolean) || whole.failed?.some(Boolean) ? <Timeline line={whole} shows="trouble" height={120} /> : <Nothing>No message was repeated, and none failed.</Nothing>}
      </Section>
      <Retries />
      <Section title="By event type">
        <Filters>
          <Search hint="an event type" value={wanted} onChange={setWanted} />
          <output className="muted">{plural(rows.length, "event type")}, the most frequent first</output>
        </Filters>
        <div className="multiples">
          {rows.slice(0, many).map(({ event, place }) => (
            <article key={place} className="multiple">
              <h3><EventLink event={place} /></h3>
              <p className="muted"><ChannelTag event={place} /></p>
              {event.line ? <Timeline line={event.line} shows="counts" height={110} /> : null}
              {event.line?.p50_ms ? <Timeline line={event.line} shows="waits" height={110} /> : null}
              {event.line?.again || event.line?.failed ? <Timeline line={event.line} shows="trouble" height={90} /> : null}
            </article>
          ))}
        </div>
        {rows.length > many ? <button type="button" className="more" onClick={() => setMany(many + STEP)}>Show {Math.min(STEP, rows.length - many)} more</button> : null}
      </Section>
    </>
  );
}

function Retries(): ReactNode {
  return (
    <Section title="How messages are tried again">
      {page.retrying.length ? (
        <Table
          caption="How messages are tried again"
          rows={page.retrying}
          rowKey={(_, place) => place}
          columns={[
            { name: "Consumer", cell: (row) => <><Name>{row.service}</Name><br /><Tag>{row.system}</Tag> <Name code>{row.channel}</Name></>, by: (row) => row.service },
            { name: "By", cell: (row) => <>{row.mechanism} <Sure certainty={row.certainty} /></>, by: (row) => row.mechanism },
            { name: "Delays", cell: (row) => row.delays },
            { name: "Attempts", cell: (row) => (row.attempts === null ? "no limit seen" : `at most ${row.attempts}`) },
            { name: "Then", cell: (row) => <Name>{row.then}</Name> },
            { name: "Messages", cell: (row) => count(row.messages), by: (row) => row.messages, number: true },
            { name: "Recovered", cell: (row) => count(row.recovered), by: (row) => row.recovered, number: true },
            { name: "Given up", cell: (row) => count(row.given_up), by: (row) => row.given_up, number: true },
          ]}
        />
      ) : (
        <Nothing>No message was seen to be tried more than once, or to fail for good.</Nothing>
      )}
    </Section>
  );
}
