// What a reader says what to show with.

import { type ReactNode, useId } from "react";

export function Search({ label = "Search", hint, value, onChange }: {
  label?: string;
  hint: string;
  value: string;
  onChange: (value: string) => void;
}): ReactNode {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input id={id} type="search" value={value} placeholder={hint} onChange={(event) => onChange(event.target.value)} />
    </div>
  );
}

export function Choice({ label, value, onChange, options, all }: {
  label: string;
  value: string | number | null;
  onChange: (value: string) => void;
  options: [string | number, string][];
  /** What no choice is called; without it there is always one. */
  all?: string;
}): ReactNode {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} value={value ?? ""} onChange={(event) => onChange(event.target.value)}>
        {all === undefined ? null : <option value="">{all}</option>}
        {options.map(([one, name]) => <option key={one} value={one}>{name}</option>)}
      </select>
    </div>
  );
}

export function Check({ label, checked, onChange }: { label: string; checked: boolean; onChange: (checked: boolean) => void }): ReactNode {
  return (
    <label className="check">
      <input type="checkbox" checked={checked} onChange={(event) => onChange(event.target.checked)} /> {label}
    </label>
  );
}

export function Filters({ children, search = true }: { children: ReactNode; search?: boolean }): ReactNode {
  return (
    <form className="filters" role={search ? "search" : undefined} onSubmit={(event) => event.preventDefault()}>
      {children}
    </form>
  );
}
