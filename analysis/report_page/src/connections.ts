// Who is connected with whom by which event types: the boxes and arrows of the flow graph. Pure.

import { type Channel, channelName, channelOf, type EventType, page, serviceName } from "./data";
import { count, percent, plural, rate } from "./format";
import type { Arrow, Box } from "./layout";

export type View = "channels" | "services" | "events";

export interface Filter {
  view: View;
  service: number | null;
  /** Of `page.channels`. */
  channel: number | null;
  event: number | null;
  system: string;
  inProcess: boolean;
}

interface Sum {
  source: string;
  target: string;
  messages: number;
  failed: number | null;
  of: number;
  events: Set<number>;
}

export function isInProcess(channel: Channel): boolean {
  return channel.kind === "bus";
}

function wantedEvents(filter: Filter): { event: EventType; place: number }[] {
  return page.events
    .map((event, place) => ({ event, place }))
    .filter(({ event, place }) => {
      const channel = channelOf(event);
      if (filter.event !== null && place !== filter.event) return false;
      if (filter.channel !== null && event.channel !== filter.channel) return false;
      if (filter.system && channel.system !== filter.system) return false;
      if (!filter.inProcess && isInProcess(channel)) return false;
      if (filter.service === null) return true;
      return [...event.publishers, ...event.consumers].some((each) => each.service === filter.service);
    });
}

/** Failures of deliveries, by event and receiving service; null where they can't be told. */
const FAILED = new Map<string, number | null>();
for (const each of page.traffic) {
  if (each.target === null || each.event === null) continue;
  const key = `${each.event} ${each.target}`;
  const before = FAILED.get(key) ?? 0;
  FAILED.set(key, before === null || each.failed === null ? null : before + each.failed);
}

export function connections(filter: Filter): { boxes: Box[]; arrows: Arrow[]; events: number } {
  const chosen = wantedEvents(filter);
  const sums = new Map<string, Sum>();
  const add = (source: string, target: string, event: number, messages: number, failed: number | null): void => {
    const key = `${source}>${target}`;
    const sum = sums.get(key) ?? { source, target, messages: 0, failed: 0, of: 0, events: new Set() };
    sum.messages += messages;
    sum.events.add(event);
    if (failed === null) {
      if (!sum.of) sum.failed = null;
    } else {
      sum.failed = (sum.failed ?? 0) + failed;
      sum.of += messages;
    }
    sums.set(key, sum);
  };
  if (filter.view === "services") direct(chosen, filter, add);
  else throughMiddle(chosen, filter, add);
  const boxes = boxesOf([...sums.values()]);
  return { boxes, arrows: [...sums.values()].map(arrowOf), events: chosen.length };
}

type Add = (source: string, target: string, event: number, messages: number, failed: number | null) => void;

function direct(chosen: { event: EventType; place: number }[], filter: Filter, add: Add): void {
  const wanted = new Set(chosen.map((each) => each.place));
  for (const each of page.traffic) {
    if (each.event === null || !wanted.has(each.event)) continue;
    if (filter.service !== null && each.source !== filter.service && each.target !== filter.service) continue;
    const source = each.source === null ? "outside" : `s${each.source}`;
    const target = each.target === null ? "nowhere" : `s${each.target}`;
    add(source, target, each.event, each.receives || each.messages, each.target === null ? null : each.failed);
  }
}

function throughMiddle(chosen: { event: EventType; place: number }[], filter: Filter, add: Add): void {
  for (const { event, place } of chosen) {
    const senders = totals(event.publishers);
    const receivers = totals(event.consumers);
    const bus = isInProcess(channelOf(event));
    for (const [service, messages] of senders) {
      if (filter.service !== null && service !== filter.service && !receivers.has(filter.service)) continue;
      add(`s${service}`, middle(event, place, filter.view, bus ? service : null), place, messages, senders.size === 1 && event.side === "send" ? event.failed : null);
    }
    for (const [service, messages] of receivers) {
      if (filter.service !== null && service !== filter.service && !senders.has(filter.service)) continue;
      const failed = FAILED.get(`${place} ${service}`);
      add(middle(event, place, filter.view, bus ? service : null), `s${service}`, place, messages, failed === undefined ? null : failed);
    }
  }
}

function middle(event: EventType, place: number, view: View, service: number | null): string {
  if (view === "events") return `e${place}`;
  // Buses of two processes have nothing to do with each other, even where they are called the same.
  return service === null ? `c${event.channel}` : `c${event.channel}@${service}`;
}

function totals(parties: EventType["publishers"]): Map<number, number> {
  const found = new Map<number, number>();
  for (const each of parties) if (each.service !== null) found.set(each.service, (found.get(each.service) ?? 0) + each.operations);
  return found;
}

function boxesOf(sums: Sum[]): Box[] {
  const events = new Map<string, Set<number>>();
  for (const sum of sums) {
    for (const id of [sum.source, sum.target]) {
      const known = events.get(id) ?? new Set();
      for (const each of sum.events) known.add(each);
      events.set(id, known);
    }
  }
  return [...events].map(([id, known]) => boxOf(id, known.size)).sort((one, other) => (one.title < other.title ? -1 : one.title > other.title ? 1 : 0));
}

function boxOf(id: string, many: number): Box {
  const about = plural(many, "event type");
  if (id === "outside") return { id, kind: "outside", title: "outside of the trace", over: "sender", about };
  if (id === "nowhere") return { id, kind: "outside", title: "no receive found", over: "receiver", about };
  const [first = "", service] = id.slice(1).split("@");
  const place = Number(first);
  if (id.startsWith("s")) return { id, kind: "service", title: serviceName(place), over: "service", about };
  if (id.startsWith("e")) {
    const event = page.events[place] as EventType;
    const channel = channelOf(event);
    return { id, kind: "event", title: event.name, over: `${channel.system || "in process"} · ${event.kind}`, about: `on ${channelName(channel)}` };
  }
  const channel = page.channels[place] as Channel;
  const over = `${channel.system || "in process"} ${channel.kind}`;
  return { id, kind: "channel", title: channelName(channel), over, about: service === undefined ? about : `${about} within ${serviceName(Number(service))}` };
}

function arrowOf(sum: Sum): Arrow {
  const seconds = page.frequencies.seconds;
  const perSecond = seconds ? sum.messages / seconds : null;
  const failed = sum.failed === null || !sum.of ? null : sum.failed / sum.of;
  const names = [...sum.events].map((each) => page.events[each]?.name ?? "");
  const few = names.slice(0, 3).join(", ") + (names.length > 3 ? ` and ${names.length - 3} more` : "");
  const trouble = failed === null ? "failures not known" : failed ? `${percent(failed)} failed` : "none failed";
  return {
    id: `${sum.source}>${sum.target}`,
    source: sum.source,
    target: sum.target,
    rate: perSecond ?? sum.messages,
    failed,
    label: few,
    about: `${few}: ${count(sum.messages)} messages, ${rate(perSecond)}, ${trouble}`,
  };
}

/** The event types of an arrow or a box. */
export function eventsOf(id: string, filter: Filter): number[] {
  const { arrows } = connections(filter);
  const wanted = new Set<number>();
  if (!arrows.length) return [];
  for (const { event, place } of wantedEvents(filter)) {
    const senders = totals(event.publishers);
    const receivers = totals(event.consumers);
    const [source = "", target] = id.split(">");
    const touches = (one: string): boolean => {
      if (one === "outside") return !senders.size;
      if (one === "nowhere") return !receivers.size;
      if (one.startsWith("e")) return one === `e${place}`;
      if (one.startsWith("c")) return one === `c${event.channel}` || one.startsWith(`c${event.channel}@`);
      const service = Number(one.slice(1));
      return senders.has(service) || receivers.has(service);
    };
    if (touches(source) && (target === undefined || touches(target))) wanted.add(place);
  }
  return [...wanted];
}
