// The page's data, as analysis/msgtrace_analysis/renderers/html/page_values.py writes it. Numbers refer to places in lists.

export type Certainty = "exact" | "likely" | "guess";

export interface Evidence {
  operations: number;
  examples: number[];
  first: string | null;
  last: string | null;
  certainty: Certainty;
}

export interface Party {
  service: number | null;
  kind: string;
  name: string;
  site: string;
  operations: number;
  certainty: Certainty;
}

export interface Field {
  path: string;
  types?: string[];
  present: number;
  of?: number;
  nulls?: number;
  examples?: string[];
  format?: string;
  format_certainty?: Certainty;
  values?: string[];
  values_left_out?: number;
  closed?: Certainty;
  range?: [number, number];
  role?: string;
}

export interface Version {
  name: string;
  samples: number;
  first: string | null;
  last: string | null;
  verdict: string | null;
  changes: { path: string; what: string; reads: string }[];
  fields: [string, string, boolean][];
  fields_left_out: number;
}

export interface Contract {
  samples: number;
  unread: number;
  cut: number;
  certainty: Certainty;
  fields: Field[];
  fields_left_out: number;
  versioned_by: string;
  versions: Version[];
  versions_left_out: number;
  elsewhere: { event: number | null; differences: { path: string; what: string }[]; count: number }[];
}

export interface Line {
  sends?: number[];
  receives?: number[];
  again?: number[];
  failed?: number[];
  p50_ms?: (number | null)[];
  p95_ms?: (number | null)[];
}

export interface EventType {
  name: string;
  channel: number;
  channels: string[];
  kind: string;
  reasons: string[];
  kind_certainty: Certainty;
  named_by: string;
  sends: number;
  receives: number;
  per_second: number | null;
  peak_per_second: number | null;
  side: string | null;
  /** On the counted side alone. */
  failed: number;
  schedules: { period_s: number; jitter_s: number; ticks: number; certainty: Certainty }[];
  bytes: [number, number, number] | null;
  publishers: Party[];
  consumers: Party[];
  also_on: number[];
  line: Line | null;
  evidence: Evidence;
}

export interface Latency {
  messages: number;
  p50_ms: number;
  p95_ms: number;
  p99_ms: number;
}

export interface Place {
  kind: string;
  service: number | null;
  name: string;
  site: string;
}

export interface Step {
  event: number | null;
  publisher: Place;
  messages: number;
  after: number;
  unreceived: number;
  depth: number;
  certainty: Certainty;
  deliveries: {
    place: Place;
    messages: number;
    receives: number;
    latency: Latency | null;
    handling: Latency | null;
    failed: Record<string, number>;
    certainty: Certainty;
  }[];
}

export interface Flow {
  group: number | null;
  name: string;
  trigger: Place;
  arrives: number | null;
  triggered: number;
  silent: number;
  depth: number;
  fan_out: number;
  end_to_end: Latency | null;
  style: { kind: string; reason: string; certainty: Certainty } | null;
  steps: Step[];
  steps_left_out: number;
  variants: { executions: number; failed: boolean; hops: number; outcomes: string[] }[];
  unlisted: number;
  ambiguous: number;
  evidence: Evidence;
}

export interface Moment {
  id: number;
  kind: string;
  service: number | null;
  event: number | null;
  name: string;
  channel: string;
  at_ms: number;
  took_ms: number | null;
  follows: number | null;
  certainty: Certainty;
  outcome: string;
  error: string;
  function: string;
  site: string;
}

export interface Execution {
  flow: number;
  variant: number;
  begun: string;
  left_out: number;
  moments: Moment[];
}

export interface Channel {
  system: string;
  kind: string;
  name: string;
}

export interface Traffic {
  source: number | null;
  target: number | null;
  event: number | null;
  messages: number;
  receives: number;
  failed: number | null;
  per_second: number | null;
  certainty: Certainty;
}

export interface TopologyChannel extends Channel {
  alike: number;
  type: string;
  durable: boolean | null;
  sends: number;
  receives: number;
  declared_by: (number | null)[];
  settings: Record<string, unknown>[];
  state: Record<string, number> | null;
}

export interface Topology {
  channels: TopologyChannel[];
  left_out: number;
  bindings: { source: number | null; destination: number | null; key: string; used: number | null }[];
  publishers: { service: number; channel: number; messages: number }[];
  consumers: { service: number; channel: number; messages: number }[];
  subscriptions: { channel: number | null; service: number | null; group: string | null }[];
  dead_letters: { queue: number | null; exchange: number | null; key: string | null; targets: number[]; outcome: string }[];
  gaps: { check: string; name: string; sentence: string; operations: number[] }[];
}

export interface Criterion {
  name: string;
  weight: number;
  state: "pass" | "partly" | "fail" | "unknown";
  share: number | null;
  reason: string;
  remedy: string;
  certainty: Certainty;
  operations: number[];
}

export interface Score {
  scope: string;
  subject: string;
  system: string;
  points: number;
  best: number;
  known: number;
  criteria: Criterion[];
}

export interface Page {
  trace: {
    id: string;
    made_by: string;
    operations: number;
    kinds: Record<string, number>;
    first: string | null;
    last: string | null;
    recording: boolean;
    note: string;
    clients: { system: string; client: string; services: string[] }[];
    servers: { system: string; address: string; connections: number; services: string[] }[];
  };
  services: { name: string; processes: number; operations: number; pythons: string[] }[];
  channels: Channel[];
  events: EventType[];
  traffic: Traffic[];
  flows: Flow[];
  flows_left_out: number;
  executions: Execution[];
  timelines: { begin: string | null; begin_ms: number; width_ms: number; parts: number; whole: Line | null };
  topology: Topology;
  retrying: {
    service: string;
    system: string;
    channel: string;
    mechanism: string;
    certainty: Certainty;
    events: number[];
    delays: string;
    attempts: number | null;
    then: string;
    messages: number;
    given_up: number;
    recovered: number;
    note: string;
  }[];
  resilience: { scores: Score[]; left_out: number };
  completeness: {
    links: Record<string, number>;
    causes: Record<string, number>;
    uncaused: number;
    unfinished: number;
    unread: number;
    redacted: number;
    unlinked: { side: string; system: string; channel: string; reason: string; operations: number }[];
    losses: { service: string; reason: string; detail: string; lost: number }[];
  };
  observations: { sentence: string; operations: number[]; certainty: Certainty }[];
  frequencies: { seconds: number; note: string };
}

export const page: Page = JSON.parse(document.getElementById("data")?.textContent ?? "{}");

/** A service's name; what is outside of the trace has none. */
export function serviceName(place: number | null): string {
  return place === null ? "outside of the trace" : (page.services[place]?.name ?? "unknown");
}

export function channelOf(event: EventType): Channel {
  return page.channels[event.channel] ?? { system: "", kind: "", name: "" };
}

/** What a channel is called where its kind and system stand elsewhere. */
export function channelName(channel: Channel): string {
  return channel.name || (channel.kind === "exchange" ? "default exchange" : `unnamed ${channel.kind}`);
}

/** Sends and deliveries of an event type that failed. */
export function failures(event: EventType): number {
  return (event.line?.failed ?? []).reduce((all, each) => all + each, 0);
}
