// Which page is shown stands behind the address's number sign, so that pages can be linked to, gone back to and kept.

import { useSyncExternalStore } from "react";

function subscribe(changed: () => void): () => void {
  window.addEventListener("hashchange", changed);
  return () => window.removeEventListener("hashchange", changed);
}

/** The parts of the way: `#/events/12` is ["events", "12"]. */
export function useWay(): string[] {
  const hash = useSyncExternalStore(subscribe, () => window.location.hash);
  return hash.replace(/^#\/?/, "").split("/").filter(Boolean);
}

export function go(way: string): void {
  window.location.hash = way;
}
