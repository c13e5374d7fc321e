// All pages one after the other, nothing folded and nothing left for later: for paper.

import { type ReactNode, useDeferredValue } from "react";
import { AllConversations } from "./conversations";
import { page } from "./data";
import { EventPage } from "./event";
import { EventsPage } from "./events";
import { plural } from "./format";
import { GraphPage } from "./graph";
import { OverviewPage } from "./overview";
import { Whole } from "./printing";
import { ResiliencePage } from "./resilience";
import { TimelinesPage } from "./timelines";
import { TopologyPage } from "./topology";

export function EverythingPage(): ReactNode {
  // First that it is being made, then all of it: that may take seconds.
  const begun = useDeferredValue(true, false);
  return (
    <Whole value={true}>
      <p className="for-screen">
        All pages, with {plural(page.events.length, "event type")} and {plural(page.executions.length, "conversation")}.{" "}
        <button type="button" className="more" disabled={!begun} onClick={() => window.print()}>Print</button>
      </p>
      {begun ? (
        <div className="everything">
          <OverviewPage />
          <GraphPage />
          <TopologyPage />
          <EventsPage />
          {page.events.map((_, place) => <EventPage key={place} event={place} />)}
          <TimelinesPage />
          <AllConversations />
          <ResiliencePage />
        </div>
      ) : (
        <p className="muted" role="status">Making all pages …</p>
      )}
    </Whole>
  );
}
