"use client";
import { useEffect, useEffectEvent, useRef, useState } from "react";
import { othersWhoType } from "#client/lib/presence.ts";
import { useProvided } from "./context.tsx";
import type { Id } from "./query-options.ts";
import { usePresence } from "./use-presence.ts";

export interface TypingResult {
  /** How many others write a note about the job. */
  count: number;
  /** The user ids of some of them. */
  people: readonly string[];
  /** Call it with each change of the note: others see it for five seconds. */
  onType(): void;
  /** Call it when the note is sent or given up. Leaving the page does the same. */
  onStop(): void;
}

/** Others see it for five seconds: so it is said again well before they are over. */
const SAY_AGAIN_MS = 2500;
const TYPING_MS = 5000;
const NO_PEOPLE: readonly string[] = [];

/** `user`: the user id of the component's user, who is not one of the others. */
export function useTyping(jobId: Id, { user }: { user?: string | undefined } = {}): TypingResult {
  const { client } = useProvided();
  const { data } = usePresence({ jobId });
  const [isTyping, setTyping] = useState(false);
  const saidAt = useRef(Number.NEGATIVE_INFINITY);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  function say(typing: boolean): void {
    saidAt.current = typing ? performance.now() : Number.NEGATIVE_INFINITY;
    // A note is worth more than the news of it.
    if (typeof jobId === "string")
      client
        .job(jobId)
        .setTyping(typing)
        .catch(() => {});
  }
  function stop(): void {
    clearTimeout(timer.current);
    if (!isTyping) return;
    setTyping(false);
    say(false);
  }
  const leave = useEffectEvent(stop);
  useEffect(() => leave, []);

  const { count = 0, people = NO_PEOPLE } = data?.typing ?? {};
  return {
    ...othersWhoType({ count, people }, { user, isTyping }),
    onType() {
      setTyping(true);
      if (performance.now() - saidAt.current >= SAY_AGAIN_MS) say(true);
      clearTimeout(timer.current);
      timer.current = setTimeout(() => setTyping(false), TYPING_MS);
    },
    onStop: stop,
  };
}
