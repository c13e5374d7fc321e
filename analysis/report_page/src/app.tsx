// The frame around every page: where one can go, which colours, what is shown.

import { type ReactNode, Suspense, useEffect, useRef, useState } from "react";
import { Choice } from "./controls";
import { ConversationsPage } from "./conversations";
import { page } from "./data";
import { EventPage } from "./event";
import { EventsPage } from "./events";
import { EverythingPage } from "./everything";
import { time } from "./format";
import { GraphPage } from "./graph";
import { OverviewPage } from "./overview";
import { usePrintedWhole } from "./printing";
import { ResiliencePage } from "./resilience";
import { useWay } from "./router";
import { TimelinesPage } from "./timelines";
import { TopologyPage } from "./topology";

const PAGES: [string, string][] = [
  ["overview", "Overview"],
  ["graph", "Flow graph"],
  ["events", "Event types"],
  ["timelines", "Timelines"],
  ["conversations", "Conversations"],
  ["topology", "Topology"],
  ["resilience", "Resilience"],
];

type Theme = "light dark" | "light" | "dark";
const THEMES: [Theme, string][] = [["light dark", "as the system"], ["light", "light"], ["dark", "dark"]];

function shown(way: string[]): ReactNode {
  switch (way[0]) {
    case "graph":
      return <GraphPage />;
    case "events":
      return way[1] === undefined ? <EventsPage /> : <EventPage key={way[1]} event={Number(way[1])} />;
    case "timelines":
      return <TimelinesPage />;
    case "conversations":
      return <ConversationsPage chosen={Number(way[1] ?? 0)} />;
    case "topology":
      return <TopologyPage />;
    case "resilience":
      return <ResiliencePage />;
    case "everything":
      return <EverythingPage />;
    default:
      return <OverviewPage />;
  }
}

export function App(): ReactNode {
  const way = useWay();
  const here = way[0] === "everything" || PAGES.some(([name]) => name === way[0]) ? way[0] : "overview";
  const main = useRef<HTMLElement>(null);
  const before = useRef(way.join("/"));
  const [theme, setTheme] = useState<Theme>("light dark");
  usePrintedWhole();
  useEffect(() => {
    // The first page can be used: bench/report.py asks when that was.
    requestAnimationFrame(() => setTimeout(() => performance.mark("msgtrace: ready")));
  }, []);
  useEffect(() => {
    document.documentElement.style.colorScheme = theme;
  }, [theme]);
  useEffect(() => {
    if (before.current === way.join("/")) return;
    before.current = way.join("/");
    window.scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [way]);
  useEffect(() => {
    const title = PAGES.find(([name]) => name === here)?.[1] ?? "Everything";
    document.title = `${title} · Messaging report`;
  }, [here]);
  return (
    <>
      <a className="skip" href="#main" onClick={(event) => {
        event.preventDefault();
        main.current?.focus();
      }}>
        Skip to the content
      </a>
      <header className="side">
        <div className="brand">
          <span className="brand-name">msgtrace</span>
          <span className="muted">Messaging report</span>
        </div>
        <nav aria-label="Pages">
          <ul>
            {PAGES.map(([name, title]) => (
              <li key={name}>
                <a href={`#/${name}`} aria-current={here === name ? "page" : undefined}>{title}</a>
              </li>
            ))}
          </ul>
        </nav>
        <div className="side-foot">
          <Choice label="Colours" value={theme} onChange={(value) => setTheme(value as Theme)} options={THEMES} />
          <p><a href="#/everything" aria-current={here === "everything" ? "page" : undefined}>Everything, for paper</a></p>
          <p className="muted">
            Recorded {time(page.trace.first)} to {time(page.trace.last)}
          </p>
        </div>
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        <Suspense fallback={<p className="muted reading" role="status">Reading …</p>}>{shown(way)}</Suspense>
        <footer className="foot muted">
          msgtrace {page.trace.made_by}, trace {page.trace.id}. Everything here was observed while the trace was recorded:
          what did not happen then is not in it.
        </footer>
      </main>
    </>
  );
}
