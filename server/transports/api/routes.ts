/** All routes of the API. */
import type { Route } from "./route.ts";
import { BATCH_ROUTES } from "./batch-routes.ts";
import { JOB_ROUTES } from "./job-routes.ts";
import { LIST_ROUTES } from "./list-routes.ts";
import { OPERATING_ROUTES } from "./operating-routes.ts";
import { SCHEDULE_ROUTES } from "./schedule-routes.ts";
import { SERVER_ROUTES } from "./server-routes.ts";
import { SHARING_ROUTES } from "./sharing-routes.ts";
import { WORK_ROUTES } from "./work-routes.ts";

export const ROUTES_OF_API: readonly Route[] = [
  ...JOB_ROUTES,
  ...BATCH_ROUTES,
  ...LIST_ROUTES,
  ...SHARING_ROUTES,
  ...SCHEDULE_ROUTES,
  ...WORK_ROUTES,
  ...SERVER_ROUTES,
  ...OPERATING_ROUTES,
];

/** Procedures of tRPC without a route, and the reason. Those of single kinds are served by the routes of jobs. */
export const WITHOUT_ROUTE: Readonly<Record<string, string>> = {
  "auth.refresh":
    "Each request has its own credentials, and a stream is opened anew with newer ones.",
  "system.onState":
    "For pages. Programs read /readyz, and their calls are answered with UNAVAILABLE.",
};
