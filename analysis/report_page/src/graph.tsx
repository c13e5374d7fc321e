// The flow graph: who sends what to whom, through which channels.

import { type ReactNode, useMemo, useState } from "react";
import { Check, Choice, Filters, Search } from "./controls";
import { connections, eventsOf, type Filter, isInProcess, type View } from "./connections";
import { channelName, channelOf, failures, page, serviceName } from "./data";
import { Drawing } from "./drawing";
import { count, plural, rate } from "./format";
import { ChannelTag, EventLink, Nothing } from "./parts";
import { Table } from "./table";

const MANY = 160;

/** The most telling view that can still be taken in at once. */
function firstView(): View {
  const channels = page.channels.filter((each) => !isInProcess(each)).length;
  return channels + page.services.length > MANY ? "services" : "channels";
}

const onlyInProcess = page.channels.every(isInProcess);
const START: Filter = { view: firstView(), service: null, channel: null, event: null, system: "", inProcess: onlyInProcess };
const SYSTEMS = [...new Set(page.channels.map((each) => each.system))].sort();

const VIEWS: [View, string][] = [["channels", "services and channels"], ["services", "services only"], ["events", "services and event types"]];

function number(value: string): number | null {
  return value === "" ? null : Number(value);
}

export function GraphPage(): ReactNode {
  const [filter, setFilter] = useState<Filter>(START);
  const [wanted, setWanted] = useState("");
  const [chosen, setChosen] = useState<string | null>(null);
  const { boxes, arrows, events } = useMemo(() => connections(filter), [filter]);
  const set = (part: Partial<Filter>): void => {
    setFilter({ ...filter, ...part });
    setChosen(null);
  };
  const words = wanted.trim().toLowerCase();
  const found = words ? boxes.filter((each) => each.title.toLowerCase().includes(words)).length : 0;
  return (
    <>
      <h1>Flow graph</h1>
      <Filters>
        <Choice label="Show" value={filter.view} onChange={(value) => set({ view: value as View })} options={VIEWS} />
        <Search hint="a box" value={wanted} onChange={setWanted} />
        <Choice label="Service" value={filter.service} onChange={(value) => set({ service: number(value) })} all="all" options={page.services.map((_, place) => [place, serviceName(place)])} />
        <Choice label="System" value={filter.system} onChange={(value) => set({ system: value })} all="all" options={SYSTEMS.map((each) => [each, each || "in process"])} />
        <Choice label="Channel" value={filter.channel} onChange={(value) => set({ channel: number(value) })} all="all" options={page.channels.map((each, place) => [place, channelName(each)])} />
        <Choice label="Event type" value={filter.event} onChange={(value) => set({ event: number(value) })} all="all" options={page.events.map((each, place) => [place, `${each.name} (${channelName(channelOf(each))})`])} />
        <Check label="in-process buses" checked={filter.inProcess} onChange={(value) => set({ inProcess: value })} />
        <output className="muted">{words ? `${plural(found, "box", "boxes")} found` : `${plural(boxes.length, "box", "boxes")}, ${plural(events, "event type")}`}</output>
      </Filters>
      {boxes.length ? (
        <Drawing title="Flow graph" boxes={boxes} arrows={arrows} wanted={wanted} chosen={chosen} choose={setChosen} legend={<Legend />} />
      ) : (
        <Nothing>No messages are like that.{onlyInProcess || filter.inProcess ? "" : " In-process buses are not shown."}</Nothing>
      )}
      {chosen ? <Chosen id={chosen} filter={filter} title={named(chosen, boxes)} /> : null}
    </>
  );
}

function named(id: string, boxes: { id: string; title: string }[]): string {
  const titles = id.split(">").map((each) => boxes.find((box) => box.id === each)?.title ?? "");
  return titles.join(" to ");
}

function Chosen({ id, filter, title }: { id: string; filter: Filter; title: string }): ReactNode {
  const rows = eventsOf(id, filter).map((place) => ({ place, event: page.events[place] }));
  return (
    <section className="section" aria-live="polite">
      <h2><bdi>{title}</bdi></h2>
      <Table
        caption={`Event types of ${title}`}
        rows={rows}
        rowKey={(row) => row.place}
        columns={[
          { name: "Event type", cell: (row) => <EventLink event={row.place} />, by: (row) => row.event?.name ?? "" },
          { name: "Channel", cell: (row) => <ChannelTag event={row.place} /> },
          { name: "Sent", cell: (row) => count(row.event?.sends ?? 0), by: (row) => row.event?.sends ?? 0, number: true },
          { name: "Received", cell: (row) => count(row.event?.receives ?? 0), by: (row) => row.event?.receives ?? 0, number: true },
          { name: "Rate", cell: (row) => rate(row.event?.per_second ?? null), by: (row) => row.event?.per_second ?? null, number: true },
          { name: "Failed", cell: (row) => count(row.event ? failures(row.event) : 0), by: (row) => (row.event ? failures(row.event) : 0), number: true },
        ]}
      />
    </section>
  );
}

function Legend(): ReactNode {
  return (
    <div className="key" aria-label="Legend">
      <span><i className="key-line well" /> none failed</span>
      <span><i className="key-line few" /> under 1%</span>
      <span><i className="key-line some" /> under 10%</span>
      <span><i className="key-line many" /> more</span>
      <span><i className="key-line unknown" /> not known</span>
      <span className="muted">wider: more messages</span>
    </div>
  );
}
