// Numbers, times and rates as people read them; always in the same way, wherever the page is opened.

const whole = new Intl.NumberFormat("en-US");

export function count(value: number): string {
  return whole.format(value);
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

function digits(value: number): string {
  if (value >= 100) return whole.format(Math.round(value));
  return String(Number(value.toPrecision(value >= 10 ? 3 : 2)));
}

export function rate(perSecond: number | null): string {
  if (perSecond === null) return "–";
  if (perSecond === 0) return "0/s";
  if (perSecond >= 0.1) return `${digits(perSecond)}/s`;
  if (perSecond * 60 >= 0.1) return `${digits(perSecond * 60)}/min`;
  return `${digits(perSecond * 3600)}/h`;
}

export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return "–";
  if (ms === 0) return "0 ms";
  if (ms < 1) return `${digits(ms * 1000)} µs`;
  if (ms < 1000) return `${digits(ms)} ms`;
  if (ms < 60_000) return `${digits(ms / 1000)} s`;
  if (ms < 3_600_000) return `${digits(ms / 60_000)} min`;
  return `${digits(ms / 3_600_000)} h`;
}

export function bytes(value: number): string {
  if (value < 1000) return `${digits(value)} B`;
  if (value < 1_000_000) return `${digits(value / 1000)} kB`;
  return `${digits(value / 1_000_000)} MB`;
}

export function percent(share: number): string {
  if (share === 0) return "0%";
  if (share === 1) return "100%";
  const value = share * 100;
  if (value < 0.1) return "<0.1%";
  if (value > 99.9) return ">99.9%";
  return `${Number(value.toPrecision(value >= 10 ? 3 : 2))}%`;
}

/** RFC 3339 to the second, with a space in it. */
export function time(at: string | null): string {
  return at === null ? "–" : `${at.slice(0, 10)} ${at.slice(11, 19)} UTC`;
}
