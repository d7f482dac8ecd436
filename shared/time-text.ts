/** Times in messages, which people of all time zones read. */

export function startText(time: Date): string {
  return `Starts at ${timeText(time)}`;
}

/** `2026-12-01 14:05:00 UTC` */
export function timeText(time: Date): string {
  return `${time.toISOString().slice(0, -5).replace("T", " ")} UTC`;
}
