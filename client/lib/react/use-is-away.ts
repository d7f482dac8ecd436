"use client";
import { useEffect, useState } from "react";

/** How long a page may be hidden, behind another tab for example, before its person counts as away. */
const AWAY_MS = 60_000;

/** True while the page has been hidden for `AWAY_MS` and longer. Browsers call timers of hidden pages up to a minute late. */
export function useIsAway(): boolean {
  const [isAway, setAway] = useState(false);
  useEffect(() => {
    // React Native has none.
    if (typeof document === "undefined") return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    function onChange(): void {
      clearTimeout(timer);
      if (document.visibilityState === "hidden") timer = setTimeout(() => setAway(true), AWAY_MS);
      else setAway(false);
    }
    onChange();
    document.addEventListener("visibilitychange", onChange);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", onChange);
    };
  }, []);
  return isAway;
}
