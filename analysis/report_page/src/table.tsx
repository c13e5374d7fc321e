// Tables that can be sorted, by the buttons in their heads.

import { type ReactNode, useMemo, useState } from "react";

export interface Column<Row> {
  name: string;
  cell: (row: Row) => ReactNode;
  /** What it is sorted by; without it, it is not. */
  by?: (row: Row) => number | string | null;
  number?: boolean;
  wide?: boolean;
}

function compare(one: number | string | null, other: number | string | null): number {
  if (one === null || other === null) return one === other ? 0 : one === null ? 1 : -1;
  if (typeof one === "number" && typeof other === "number") return one - other;
  return String(one) < String(other) ? -1 : String(one) > String(other) ? 1 : 0;
}

export function Table<Row>({ caption, columns, rows, first, most = 2000, rowKey }: {
  caption: string;
  columns: Column<Row>[];
  rows: Row[];
  /** The column that rows are sorted by at first, and whether the largest comes first. */
  first?: [string, boolean];
  most?: number;
  rowKey: (row: Row, place: number) => string | number;
}): ReactNode {
  const [order, setOrder] = useState<[string, boolean] | null>(first ?? null);
  const sorted = useMemo(() => {
    const by = order ? columns.find((each) => each.name === order[0])?.by : undefined;
    if (!order || !by) return rows;
    const sign = order[1] ? -1 : 1;
    return rows
      .map((row, place) => ({ row, place, value: by(row) }))
      .sort((one, other) => {
        if (one.value === null || other.value === null) return compare(one.value, other.value) || one.place - other.place;
        return sign * compare(one.value, other.value) || one.place - other.place;
      })
      .map((each) => each.row);
  }, [rows, columns, order]);
  return (
    <div className="table" role="region" aria-label={caption} tabIndex={0}>
      <table>
        <caption className="hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => {
              const here = order?.[0] === column.name;
              const state = here ? (order?.[1] ? "descending" : "ascending") : undefined;
              return (
                <th key={column.name} scope="col" className={column.number ? "number" : ""} aria-sort={state}>
                  {column.by ? (
                    <button type="button" onClick={() => setOrder([column.name, here ? !order?.[1] : !!column.number])}>
                      {column.name}
                      <span aria-hidden="true">{here ? (order?.[1] ? " ↓" : " ↑") : ""}</span>
                    </button>
                  ) : (
                    column.name
                  )}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {sorted.slice(0, most).map((row, place) => (
            <tr key={rowKey(row, place)}>
              {columns.map((column) => (
                <td key={column.name} className={`${column.number ? "number" : ""} ${column.wide ? "wide" : ""}`}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {sorted.length > most ? <p className="note">{sorted.length - most} more rows are not shown.</p> : null}
    </div>
  );
}
