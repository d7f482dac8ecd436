/** All attacks, by the fault that they probe. */
import { ANNOTATION_ATTACKS } from "./annotations.ts";
import type { Attack } from "./attack.ts";
import { BODY_ATTACKS } from "./bodies.ts";
import { COUNT_ATTACKS } from "./counts.ts";
import { PAGE_ATTACKS } from "./foreign-pages.ts";
import { NESTING_ATTACKS } from "./nesting.ts";
import { UNREAD_ATTACKS } from "./unread.ts";

export const CATALOGUE = {
  annotations: ANNOTATION_ATTACKS,
  pages: PAGE_ATTACKS,
  "unread answers": UNREAD_ATTACKS,
  "tiny pieces": BODY_ATTACKS,
  counts: COUNT_ATTACKS,
  nesting: NESTING_ATTACKS,
} as const satisfies Record<string, readonly Attack[]>;
