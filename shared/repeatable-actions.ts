import type { JobAction } from "./lifecycle.ts";

/** Actions that can be repeated without end, so the length of the log limits them. The others end the job, or follow one of these. */
export const REPEATABLE: Record<JobAction, boolean> = {
  start: false,
  progress: true,
  release: false,
  deliver: false,
  block: false,
  fail: false,
  expire: false,
  debounce: true,
  requeue: true,
  remove: false,
  cancel: false,
  approve: false,
  reject: false,
  retry: true,
  regenerate: true,
};
