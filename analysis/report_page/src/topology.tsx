// What there is to send through: exchanges, queues, topics, streams; what is bound to what, where dead letters go.

import { type ReactNode, useMemo, useState } from "react";
import { Choice, Filters, Search } from "./controls";
import { page, serviceName, type TopologyChannel } from "./data";
import { Drawing } from "./drawing";
import { count, plural } from "./format";
import type { Arrow, Box } from "./layout";
import { Name, Nothing, Operations, Section, ServiceName, Tag } from "./parts";
import { Table } from "./table";

const MANY = 150;
const KINDS = new Set(["bus"]);

function title(channel: TopologyChannel): string {
  const name = channel.name || (channel.kind === "exchange" ? "default exchange" : `unnamed ${channel.kind}`);
  return channel.alike > 1 ? `${name} (${channel.alike} alike)` : name;
}

interface Drawn {
  boxes: Box[];
  arrows: Arrow[];
  left: number;
}

function drawn(system: string, words: string): Drawn {
  const { topology } = page;
  const wanted = new Set<number>();
  topology.channels.forEach((each, place) => {
    if (KINDS.has(each.kind) || (system && each.system !== system)) return;
    if (words && !title(each).toLowerCase().includes(words)) return;
    wanted.add(place);
  });
  const kept = new Set([...wanted].slice(0, MANY));
  const boxes = new Map<string, Box>();
  const arrows = new Map<string, Arrow>();
  const channelBox = (place: number): string => {
    const each = topology.channels[place] as TopologyChannel;
    const id = `c${place}`;
    boxes.set(id, {
      id, kind: "channel", title: title(each), over: `${each.system} ${each.type === each.kind ? each.kind : `${each.type} ${each.kind}`}`,
      about: `${count(each.sends)} sent, ${count(each.receives)} received${each.durable === false ? ", not durable" : ""}`,
    });
    return id;
  };
  const serviceBox = (place: number): string => {
    const id = `s${place}`;
    boxes.set(id, { id, kind: "service", title: serviceName(place), over: "service", about: "a traced service" });
    return id;
  };
  const draw = (source: string, target: string, rate: number | null, failed: number | null, label: string, dashed = false): void => {
    const id = `${source}>${target}${dashed ? "!" : ""}`;
    const known = arrows.get(id);
    const both = known ? `${known.label}, ${label}` : label;
    arrows.set(id, { id, source, target, rate: known?.rate ?? rate, failed, label: both, about: both, dashed });
  };
  for (const place of kept) channelBox(place);
  for (const each of topology.publishers) {
    if (kept.has(each.channel)) draw(serviceBox(each.service), channelBox(each.channel), each.messages, 0, `publishes ${count(each.messages)}`);
  }
  for (const each of topology.consumers) {
    if (kept.has(each.channel)) draw(channelBox(each.channel), serviceBox(each.service), each.messages, 0, `delivers ${count(each.messages)}`);
  }
  for (const each of topology.bindings) {
    if (each.source === null || each.destination === null || !(kept.has(each.source) && kept.has(each.destination))) continue;
    draw(channelBox(each.source), channelBox(each.destination), each.used, null, `bound by ${each.key || "no key"}${each.used === null ? "" : `, led ${plural(each.used, "message")} on`}`);
  }
  for (const each of topology.subscriptions) {
    if (each.channel === null || each.service === null || !kept.has(each.channel)) continue;
    draw(channelBox(each.channel), serviceBox(each.service), null, 0, each.group ? `subscribed as group ${each.group}` : "subscribed");
  }
  for (const each of topology.dead_letters) {
    if (each.queue === null || !kept.has(each.queue)) continue;
    const targets = each.exchange !== null && kept.has(each.exchange) ? [each.exchange] : each.targets.filter((one) => kept.has(one));
    for (const target of targets) draw(channelBox(each.queue), channelBox(target), null, 1, `dead letters${each.key ? ` with key ${each.key}` : ""}`, true);
  }
  return { boxes: [...boxes.values()], arrows: [...arrows.values()], left: wanted.size - kept.size };
}

const SYSTEMS = [...new Set(page.topology.channels.filter((each) => !KINDS.has(each.kind)).map((each) => each.system))].sort();

export function TopologyPage(): ReactNode {
  const [system, setSystem] = useState("");
  const [wanted, setWanted] = useState("");
  const [chosen, setChosen] = useState<string | null>(null);
  const many = page.topology.channels.filter((each) => !KINDS.has(each.kind)).length > MANY;
  const { boxes, arrows, left } = useMemo(() => drawn(system, many ? wanted.trim().toLowerCase() : ""), [system, wanted, many]);
  return (
    <>
      <h1>Topology</h1>
      <Filters>
        <Search hint="a channel" value={wanted} onChange={setWanted} />
        <Choice label="System" value={system} onChange={setSystem} all="all" options={SYSTEMS.map((each) => [each, each])} />
        <output className="muted">{plural(boxes.length, "box", "boxes")}{left ? `; ${plural(left, "channel")} more: search or choose a system` : ""}</output>
      </Filters>
      {boxes.length ? (
        <Drawing title="Topology" boxes={boxes} arrows={arrows} wanted={many ? "" : wanted} chosen={chosen} choose={setChosen} legend={<Legend />} />
      ) : (
        <Nothing>Nothing was declared or used on a broker{wanted || system ? " that is like that" : ""}.</Nothing>
      )}
      <Gaps />
      <Channels />
    </>
  );
}

function Legend(): ReactNode {
  return (
    <div className="key" aria-label="Legend">
      <span><i className="key-line well" /> publishes, consumes</span>
      <span><i className="key-line unknown" /> bound to</span>
      <span><i className="key-line many dashed" /> dead letters</span>
    </div>
  );
}

function Gaps(): ReactNode {
  if (!page.topology.gaps.length) return null;
  return (
    <Section title="What does not go together" note="Where what is declared and what the traffic used differ.">
      <ul className="observations">
        {page.topology.gaps.slice(0, 200).map((each, place) => (
          <li key={place}><Tag tone="warn">{each.check}</Tag> <bdi>{each.sentence}</bdi> <Operations ids={each.operations} /></li>
        ))}
      </ul>
    </Section>
  );
}

function words(settings: Record<string, unknown>[]): string {
  return settings
    .flatMap((form) => Object.entries(form))
    .filter(([name, value]) => name !== "action" && value !== null && value !== "" && !(typeof value === "object" && !Object.keys(value as object).length))
    .map(([name, value]) => `${name}: ${typeof value === "object" ? JSON.stringify(value) : String(value)}`)
    .join(", ");
}

function Channels(): ReactNode {
  return (
    <Section title="Channels">
      <Table
        caption="Channels"
        rows={page.topology.channels}
        rowKey={(_, place) => place}
        first={["Name", false]}
        columns={[
          { name: "Name", cell: (row) => <Name code>{title(row)}</Name>, by: (row) => row.name },
          { name: "What", cell: (row) => <Tag>{`${row.system || "in process"} ${row.type === row.kind ? row.kind : `${row.type} ${row.kind}`}`}</Tag>, by: (row) => `${row.system} ${row.kind}` },
          { name: "Declared by", cell: (row) => (row.declared_by.length ? row.declared_by.map((each) => <div key={each}><ServiceName service={each} /></div>) : <span className="muted">nobody seen</span>) },
          { name: "Settings", cell: (row) => <Name>{words(row.settings) || "–"}</Name>, wide: true },
          { name: "Sent", cell: (row) => count(row.sends), by: (row) => row.sends, number: true },
          { name: "Received", cell: (row) => count(row.receives), by: (row) => row.receives, number: true },
        ]}
      />
      {page.topology.left_out ? <p className="note">{plural(page.topology.left_out, "channel")} more; msgtrace queues lists them.</p> : null}
    </Section>
  );
}
