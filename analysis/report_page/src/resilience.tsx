// How well the system stands failure, and what would raise its score.

import type { ReactNode } from "react";
import { type Criterion, page, type Score } from "./data";
import { plural } from "./format";
import { Bar, Name, Nothing, Operations, Section, Sure, Tag } from "./parts";
import { Table } from "./table";

const TONES = { pass: "good", partly: "warn", fail: "bad", unknown: "plain" };

/** Points of 100 that a check would add, were it well. */
function gain(each: Criterion, all: Criterion[]): number {
  const weights = all.reduce((sum, one) => sum + one.weight, 0);
  return weights ? (100 * each.weight * (1 - (each.share ?? 0))) / weights : 0;
}

export function ResiliencePage(): ReactNode {
  const { scores, left_out } = page.resilience;
  const system = scores.find((each) => each.scope === "system");
  if (!system) {
    return (
      <>
        <h1>Resilience</h1>
        <Nothing>Nothing in this trace goes through a broker: there is nothing to score.</Nothing>
      </>
    );
  }
  const others = scores.filter((each) => each !== system);
  return (
    <>
      <h1>Resilience</h1>
      <div className="score">
        <div className="score-number" role="img" aria-label={`${Math.round(system.points)} of 100 points`}>
          <span>{Math.round(system.points)}</span>
          <small>of 100</small>
        </div>
        <div className="score-text">
          <div className="score-bar" aria-hidden="true">
            <span className="score-best" style={{ width: `${system.best}%` }} />
            <span className="score-points" style={{ width: `${system.points}%` }} />
          </div>
          <p>
            {Math.round(system.points)} points are earned. What is unknown earns none: were all of it well, it would be{" "}
            {Math.round(system.best)}. {Math.round(system.known * 100)}% of what counts is known.
          </p>
        </div>
      </div>
      <Raise system={system} />
      {others.length ? (
        <Section title="Consumers, producers and servers">
          {others.map((each, place) => <Subject key={place} score={each} />)}
          {left_out ? <p className="note">{plural(left_out, "more score")}; msgtrace resilience lists them.</p> : null}
        </Section>
      ) : null}
    </>
  );
}

function Raise({ system }: { system: Score }): ReactNode {
  const rows = system.criteria.map((each) => ({ each, gain: gain(each, system.criteria) })).filter((row) => row.gain > 0);
  return (
    <Section title="What would raise it" note="How many points of the whole each kind of check would add at most, and what would do it. Whose checks these are stands below.">
      {rows.length ? (
        <Table
          caption="What would raise the score"
          rows={rows}
          rowKey={(_, place) => place}
          first={["Points", true]}
          columns={[
            { name: "Points", cell: (row) => `+${row.gain.toFixed(1)}`, by: (row) => row.gain, number: true },
            { name: "Check", cell: (row) => <><Tag tone={TONES[row.each.state]}>{row.each.state}</Tag> {row.each.name}</>, by: (row) => row.each.name },
            { name: "Because", cell: (row) => <bdi>{row.each.reason}</bdi>, wide: true },
            { name: "What would raise it", cell: (row) => <bdi>{row.each.remedy || "–"}</bdi>, wide: true },
          ]}
        />
      ) : (
        <Nothing>Every check that there is has passed.</Nothing>
      )}
    </Section>
  );
}

function Subject({ score }: { score: Score }): ReactNode {
  return (
    <details className="subject">
      <summary>
        <span className="subject-points">{Math.round(score.points)}</span>
        <Bar share={score.points / 100} label={`${Math.round(score.points)} of 100 points`} tone={score.points >= 70 ? "good" : score.points >= 40 ? "warn" : "bad"} />
        <Tag>{score.scope}</Tag> <Name>{score.subject}</Name>
      </summary>
      <ul className="criteria">
        {score.criteria.map((each, place) => (
          <li key={place}>
            <Tag tone={TONES[each.state]}>{each.state}</Tag> <strong>{each.name}</strong> <span className="muted">weight {each.weight}</span>
            <p><bdi>{each.reason}</bdi> {each.operations.length ? <Sure certainty={each.certainty} /> : null} <Operations ids={each.operations} /></p>
            {each.remedy ? <p className="remedy"><bdi>{each.remedy}</bdi></p> : null}
          </li>
        ))}
      </ul>
    </details>
  );
}
