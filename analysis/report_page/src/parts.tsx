// Small things that every page is made of.

import type { ReactNode } from "react";
import { type Certainty, channelName, channelOf, page, serviceName } from "./data";

/** A text that others chose: it keeps its direction to itself, and is cut by its place, never its meaning. */
export function Name({ children, code = false }: { children: string; code?: boolean }): ReactNode {
  const shown = children.trim() ? children : "(blank)";
  return (
    <bdi className={code ? "name code" : "name"} title={shown.length > 40 ? shown : undefined}>
      {shown}
    </bdi>
  );
}

export function EventLink({ event }: { event: number | null }): ReactNode {
  const known = event === null ? undefined : page.events[event];
  if (!known) return <span className="muted">–</span>;
  return (
    <a href={`#/events/${event}`}>
      <Name>{known.name}</Name>
    </a>
  );
}

export function ServiceName({ service }: { service: number | null }): ReactNode {
  return service === null ? <span className="muted">outside of the trace</span> : <Name>{serviceName(service)}</Name>;
}

export function ChannelTag({ event }: { event: number }): ReactNode {
  const known = page.events[event];
  if (!known) return null;
  const channel = channelOf(known);
  return (
    <span className="channel">
      <Tag>{`${channel.system || "in process"} ${channel.kind}`.trim()}</Tag> <Name code>{channelName(channel)}</Name>
    </span>
  );
}

export function Tag({ children, tone = "plain" }: { children: ReactNode; tone?: string }): ReactNode {
  return <span className={`tag ${tone}`}>{children}</span>;
}

const CERTAINTY: Record<Certainty, string> = {
  exact: "Proven by what the brokers or the call itself say.",
  likely: "Follows from order, content or time; it can be wrong.",
  guess: "Fits what was seen, and other explanations fit as well.",
};

export function Sure({ certainty }: { certainty: Certainty }): ReactNode {
  return (
    <span className={`sure ${certainty}`} title={CERTAINTY[certainty]}>
      {certainty}
    </span>
  );
}

export function Card({ title, value, note, href, tone }: {
  title: string;
  value: string;
  note?: string | undefined;
  href?: string;
  tone?: string | undefined;
}): ReactNode {
  const inside = (
    <>
      <span className="card-title">{title}</span>
      <span className={`card-value ${tone ?? ""}`}>{value}</span>
      {note ? <span className="card-note">{note}</span> : null}
    </>
  );
  return href ? <a className="card" href={href}>{inside}</a> : <div className="card">{inside}</div>;
}

export function Section({ title, children, note, level = 2 }: {
  title: string;
  children: ReactNode;
  note?: ReactNode;
  level?: 2 | 3;
}): ReactNode {
  return (
    <section className="section">
      {level === 2 ? <h2>{title}</h2> : <h3>{title}</h3>}
      {note ? <p className="note">{note}</p> : null}
      {children}
    </section>
  );
}

export function Nothing({ children }: { children: ReactNode }): ReactNode {
  return <p className="nothing">{children}</p>;
}

/** Ids of operations, to look at with `msgtrace show`. */
export function Operations({ ids }: { ids: number[] }): ReactNode {
  if (!ids.length) return null;
  return <span className="operations">operations {ids.slice(0, 3).join(", ")}</span>;
}

export function Bar({ share, label, tone = "accent" }: { share: number; label: string; tone?: string }): ReactNode {
  const width = `${Math.max(0, Math.min(1, share)) * 100}%`;
  return (
    <span className="bar" role="img" aria-label={label} title={label}>
      <span className={`bar-fill ${tone}`} style={{ width }} />
    </span>
  );
}
