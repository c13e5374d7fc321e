// All event types: search, filter, sort.

import { type ReactNode, useDeferredValue, useMemo, useState } from "react";
import { Spark } from "./chart";
import { Choice, Filters, Search } from "./controls";
import { channelName, channelOf, type EventType, failures, page, serviceName } from "./data";
import { count, plural, rate } from "./format";
import { ChannelTag, EventLink, Nothing, Tag } from "./parts";
import { Name } from "./parts";
import { type Column, Table } from "./table";

type Row = EventType & { place: number };

const ROWS: Row[] = page.events.map((each, place) => ({ ...each, place }));
const KINDS = [...new Set(page.events.map((each) => each.kind))].sort();
const SYSTEMS = [...new Set(page.events.map((each) => channelOf(each).system))].sort();

function services(parties: EventType["publishers"]): string {
  return [...new Set(parties.map((each) => serviceName(each.service)))].join(", ");
}

const COLUMNS: Column<Row>[] = [
  { name: "Event type", cell: (row) => <EventLink event={row.place} />, by: (row) => row.name.toLowerCase() },
  { name: "Kind", cell: (row) => <Tag>{row.kind}</Tag>, by: (row) => row.kind },
  { name: "Channel", cell: (row) => <ChannelTag event={row.place} />, by: (row) => channelName(channelOf(row)) },
  { name: "Published by", cell: (row) => <Parties row={row} side="publishers" />, by: (row) => services(row.publishers) },
  { name: "Consumed by", cell: (row) => <Parties row={row} side="consumers" />, by: (row) => services(row.consumers) },
  { name: "Sent", cell: (row) => count(row.sends), by: (row) => row.sends, number: true },
  { name: "Rate", cell: (row) => rate(row.per_second), by: (row) => row.per_second, number: true },
  {
    name: "Over time",
    cell: (row) => <Spark values={row.line?.sends ?? row.line?.receives ?? []} label={`${count(row.sends || row.receives)} messages over time`} />,
  },
  { name: "Failed", cell: (row) => <span className={failures(row) ? "bad" : "muted"}>{count(failures(row))}</span>, by: failures, number: true },
];

function Parties({ row, side }: { row: Row; side: "publishers" | "consumers" }): ReactNode {
  const names = services(row[side]);
  return names ? <Name>{names}</Name> : <span className="muted">not seen</span>;
}

export function EventsPage(): ReactNode {
  const [wanted, setWanted] = useState("");
  const [kind, setKind] = useState("");
  const [system, setSystem] = useState("");
  const words = useDeferredValue(wanted.toLowerCase());
  const rows = useMemo(() => ROWS.filter((row) => {
    const channel = channelOf(row);
    if (kind && row.kind !== kind) return false;
    if (system && channel.system !== system) return false;
    if (!words) return true;
    return [row.name, channel.name, services(row.publishers), services(row.consumers)].some((each) => each.toLowerCase().includes(words));
  }), [words, kind, system]);
  return (
    <>
      <h1>Event types</h1>
      <Filters>
        <Search hint="name, channel or service" value={wanted} onChange={setWanted} />
        <Choice label="Kind" value={kind} onChange={setKind} all="all" options={KINDS.map((each) => [each, each])} />
        <Choice label="System" value={system} onChange={setSystem} all="all" options={SYSTEMS.map((each) => [each, each || "in process"])} />
        <output className="muted">{plural(rows.length, "event type")}</output>
      </Filters>
      {rows.length ? (
        <Table caption="Event types" rows={rows} columns={COLUMNS} first={["Event type", false]} rowKey={(row) => row.place} />
      ) : (
        <Nothing>{page.events.length ? "No event type is like that." : "No message was seen in this trace."}</Nothing>
      )}
    </>
  );
}
