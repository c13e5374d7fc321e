// Bodies: a tree of fields with how often each is there, and versions side by side.

import { type ReactNode, useMemo, useState } from "react";
import type { Contract, Field } from "./data";
import { count, percent, plural, time } from "./format";
import { Bar, Name, Section, Sure, Tag } from "./parts";

interface Branch {
  field: Field;
  name: string;
  depth: number;
  children: boolean;
}

/** Where a field's own name begins: after its nearest listed ancestor. */
function branches(fields: Field[]): Branch[] {
  const paths = new Set(fields.map((each) => each.path));
  const stack: string[] = [];
  const found: Branch[] = [];
  for (const field of fields) {
    while (stack.length && !inside(field.path, stack[stack.length - 1] as string)) stack.pop();
    const above = stack[stack.length - 1];
    const name = above === undefined ? field.path : field.path.slice(above.length).replace(/^\./, "");
    found.push({ field, name: name || field.path, depth: stack.length, children: false });
    stack.push(field.path);
  }
  for (let place = 0; place + 1 < found.length; place++) {
    const here = found[place] as Branch;
    here.children = (found[place + 1] as Branch).depth > here.depth;
  }
  return paths.size ? found : [];
}

function inside(path: string, above: string): boolean {
  return path.startsWith(above) && path.length > above.length && (path[above.length] === "." || path[above.length] === "[");
}

export function FieldTree({ fields, left }: { fields: Field[]; left: number }): ReactNode {
  const tree = useMemo(() => branches(fields), [fields]);
  const [shut, setShut] = useState<ReadonlySet<string>>(new Set());
  const rows: Branch[] = [];
  let hidden = Number.POSITIVE_INFINITY;
  for (const each of tree) {
    if (each.depth > hidden) continue;
    hidden = shut.has(each.field.path) ? each.depth : Number.POSITIVE_INFINITY;
    rows.push(each);
  }
  const toggle = (path: string): void => {
    const next = new Set(shut);
    if (!next.delete(path)) next.add(path);
    setShut(next);
  };
  return (
    <>
      <div className="table" role="region" aria-label="Fields" tabIndex={0}>
        <table className="tree">
          <caption className="hidden">Fields of the body</caption>
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">Type</th>
              <th scope="col">Present</th>
              <th scope="col">Values</th>
              <th scope="col">Examples</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => <FieldRow key={row.field.path} row={row} shut={shut.has(row.field.path)} toggle={toggle} />)}
          </tbody>
        </table>
      </div>
      {left ? <p className="note">{plural(left, "field")} more; msgtrace schemas lists them.</p> : null}
    </>
  );
}

function FieldRow({ row, shut, toggle }: { row: Branch; shut: boolean; toggle: (path: string) => void }): ReactNode {
  const { field } = row;
  const of = field.of ?? 0;
  const share = of ? field.present / of : 0;
  return (
    <tr>
      <th scope="row" style={{ paddingInlineStart: `${0.75 + row.depth * 1.25}rem` }}>
        {row.children ? (
          <button type="button" className="twist" aria-expanded={!shut} aria-label={`Fields of ${field.path}`} onClick={() => toggle(field.path)}>
            {shut ? "▸" : "▾"}
          </button>
        ) : (
          <span className="twist" aria-hidden="true" />
        )}
        <Name code>{row.name}</Name>
        {field.role ? <Tag tone="accent">{field.role}</Tag> : null}
      </th>
      <td>
        {(field.types ?? []).join(" or ") || "–"}
        {field.format ? <> <Tag>{field.format}</Tag>{field.format_certainty && field.format_certainty !== "exact" ? <Sure certainty={field.format_certainty} /> : null}</> : null}
      </td>
      <td className="presence">
        <Bar share={share} tone={share === 1 ? "good" : "warn"} label={`present in ${count(field.present)} of ${count(of)}`} />{" "}
        <span className="presence-text">{share === 1 ? "always" : percent(share)}</span>
        {field.nulls ? <span className="muted"> null {count(field.nulls)}×</span> : null}
      </td>
      <td>
        {field.values?.length ? (
          <span className="values">
            {field.values.map((each) => <code key={each}><Name>{each}</Name></code>)}
            {field.values_left_out ? <span className="muted"> and {field.values_left_out} more</span> : null}
            {field.closed ? <Sure certainty={field.closed} /> : null}
          </span>
        ) : field.range ? (
          <span className="muted">{field.range[0] === field.range[1] ? field.range[0] : `${field.range[0]} to ${field.range[1]}`}{field.types?.includes("string") ? " characters" : ""}</span>
        ) : null}
      </td>
      <td className="wide">{(field.examples ?? []).slice(0, 3).map((each) => <code key={each} className="example"><Name>{each}</Name></code>)}</td>
    </tr>
  );
}

const VERDICTS: Record<string, [string, string]> = {
  full: ["good", "readers of either version read both"],
  backward: ["warn", "new readers read old messages; old readers may not read new ones"],
  forward: ["warn", "old readers read new messages; new readers may not read old ones"],
  none: ["bad", "neither reads the other's messages"],
};

export function Versions({ contract }: { contract: Contract }): ReactNode {
  const { versions } = contract;
  const paths = [...new Set(versions.flatMap((each) => each.fields.map(([path]) => path)))].sort();
  const known = versions.map((each) => new Map(each.fields.map(([path, type, required]) => [path, { type, required }])));
  const how = contract.versioned_by === "drift" ? "Told apart by what the bodies hold." : `Told apart by ${contract.versioned_by}.`;
  return (
    <Section title="Versions" note={<bdi>{how}{contract.versions_left_out ? ` ${contract.versions_left_out} older ones are not shown.` : ""}</bdi>}>
      <div className="table" role="region" aria-label="Versions side by side" tabIndex={0}>
        <table className="versions">
          <caption className="hidden">Versions side by side</caption>
          <thead>
            <tr>
              <th scope="col">Field</th>
              {versions.map((each, place) => (
                <th key={place} scope="col">
                  <Name>{each.name}</Name>
                  <span className="version-about">{plural(each.samples, "body", "bodies")}, from {time(each.first)}</span>
                  {each.verdict ? <span className="version-about"><Tag tone={VERDICTS[each.verdict]?.[0] ?? "plain"}>{each.verdict}</Tag> {VERDICTS[each.verdict]?.[1]}</span> : null}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {paths.map((path) => (
              <tr key={path}>
                <th scope="row"><Name code>{path}</Name></th>
                {known.map((fields, place) => {
                  const here = fields.get(path);
                  const before = place ? known[place - 1]?.get(path) : here;
                  const state = !here ? (before ? "gone" : "absent") : !before ? "added" : before.type !== here.type || before.required !== here.required ? "changed" : "";
                  return (
                    <td key={place} className={`version ${state}`}>
                      {here ? <>{here.type}{here.required ? "" : <span className="muted">, optional</span>}{state ? <Tag>{state === "added" ? "new" : state}</Tag> : null}</> : state === "gone" ? <Tag tone="bad">gone</Tag> : <span className="muted">–</span>}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}
