// What is folded, or shown in part on a screen, is printed whole.

import { createContext, useContext, useEffect, useState } from "react";
import { flushSync } from "react-dom";

/** Whether everything is to be shown at once. */
export const Whole = createContext(false);

/** Whether all of a long list is to be drawn: while it is printed, or on the page that has everything. */
export function useWhole(): boolean {
  const everything = useContext(Whole);
  const [printed, setPrinted] = useState(false);
  useEffect(() => {
    const begin = (): void => flushSync(() => setPrinted(true));
    const end = (): void => setPrinted(false);
    window.addEventListener("beforeprint", begin);
    window.addEventListener("afterprint", end);
    return () => {
      window.removeEventListener("beforeprint", begin);
      window.removeEventListener("afterprint", end);
    };
  }, []);
  return everything || printed;
}

/** Opens whatever is folded before it is printed, and folds it again. */
export function usePrintedWhole(): void {
  useEffect(() => {
    let opened: HTMLDetailsElement[] = [];
    const begin = (): void => {
      opened = [...document.querySelectorAll<HTMLDetailsElement>("details:not([open])")];
      for (const each of opened) each.open = true;
    };
    const end = (): void => {
      for (const each of opened) each.open = false;
      opened = [];
    };
    window.addEventListener("beforeprint", begin);
    window.addEventListener("afterprint", end);
    return () => {
      window.removeEventListener("beforeprint", begin);
      window.removeEventListener("afterprint", end);
    };
  }, []);
}
