/** For operators and admins: pauses, workers, revocations and the audit list. */
import { AuditQuery, PauseScope, ToPause, WorkerId, WorkersQuery } from "#server/jobs/inputs.ts";
import { z } from "zod";
import { auditActorOf } from "#shared/audit.ts";
import { ToRevokeSchema } from "#shared/revocation.schema.ts";
import { ANSWERS } from "./answers.ts";
import { type Route, route } from "./route.ts";

const order = (action: "drain" | "resume", summary: string): Route =>
  route({
    method: "POST",
    path: `/workers/{workerId}/${action}`,
    operationId: `${action}Worker`,
    summary,
    tag: "Operating",
    answer: {
      procedure: `worker.${action}`,
      input: WorkerId,
      status: 200,
      output: ANSWERS.Worker,
      run: ({ acting, context }, { workerId }) =>
        context.workers[action](workerId, auditActorOf(acting)),
    },
  });

export const OPERATING_ROUTES: readonly Route[] = [
  route({
    method: "GET",
    path: "/pauses",
    operationId: "listPauses",
    summary: "List the pauses that concern the caller",
    tag: "Operating",
    answer: {
      procedure: "pause.list",
      input: z.object({}),
      status: 200,
      output: ANSWERS.Pauses,
      run: ({ principal, context }) => context.pauses.list(principal),
    },
  }),
  route({
    method: "POST",
    path: "/pauses",
    operationId: "setPause",
    summary: "Let jobs wait, until the pause is removed",
    tag: "Operating",
    answer: {
      procedure: "pause.set",
      input: ToPause,
      status: 200,
      output: ANSWERS.Pause,
      run: ({ acting, context }, input) => context.pauses.set(acting, input),
    },
  }),
  route({
    method: "DELETE",
    path: "/pauses",
    operationId: "removePause",
    summary: "Remove the pause of this scope",
    tag: "Operating",
    answer: {
      procedure: "pause.remove",
      input: PauseScope,
      status: 200,
      output: ANSWERS.Pause,
      run: ({ acting, context }, input) => context.pauses.remove(acting, input),
    },
  }),
  route({
    method: "GET",
    path: "/workers",
    operationId: "listWorkers",
    summary: "List the workers, with the jobs that they run",
    tag: "Operating",
    answer: {
      procedure: "worker.list",
      input: WorkersQuery,
      status: 200,
      output: ANSWERS.WorkerPage,
      run: ({ context }, { limit, cursor }) =>
        context.workers.list({ limit, cursor: cursor ?? undefined }),
    },
  }),
  order("drain", "Let a worker finish its jobs, and start no more"),
  order("resume", "Let a worker start jobs again"),
  route({
    method: "GET",
    path: "/audit",
    operationId: "listAudit",
    summary: "List what was done in the caller's tenant, newest first",
    tag: "Operating",
    answer: {
      procedure: "audit.list",
      input: AuditQuery,
      status: 200,
      output: ANSWERS.AuditPage,
      run: ({ principal, context }, { cursor, ...query }) =>
        context.audit.list({
          ...query,
          tenant: principal.tenantId,
          cursor: cursor ?? undefined,
        }),
    },
  }),
  route({
    method: "POST",
    path: "/revocations",
    operationId: "revoke",
    summary: "End a token, or all that a user was issued",
    tag: "Operating",
    answer: {
      procedure: "auth.revoke",
      input: ToRevokeSchema,
      status: 200,
      output: ANSWERS.Revoked,
      run: (call, input) => call.revoke(input),
    },
  }),
];
