// Fields and versions of event types: packed, and unpacked when somebody first looks at one.

import { use, useMemo } from "react";
import type { Contract } from "./data";

let asked: Promise<string[]> | null = null;

async function unpacked(): Promise<string[]> {
  const text = document.getElementById("contracts")?.textContent ?? "";
  const letters = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(letters, (each) => each.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return (await new Response(stream).text()).split("\n");
}

/** A line of JSON for each event type. */
function lines(): Promise<string[]> {
  asked ??= unpacked();
  return asked;
}

/** What the bodies of an event type hold; null where none was read. */
export function useContract(event: number): Contract | null {
  const line = use(lines())[event];
  return useMemo(() => (line ? (JSON.parse(line) as Contract | null) : null), [line]);
}
