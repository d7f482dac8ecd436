/** For workers of other programs, which run jobs of kinds without `run`. */
import type { z } from "zod";
import {
  Block,
  Delivery,
  DraftPiece,
  Failing,
  JobHeld,
  Progress,
  WorkAsked,
} from "#server/work/inputs.ts";
import type { WorkService } from "#server/work/open.ts";
import type { Principal } from "#shared/principal.ts";
import { ANSWERS } from "./answers.ts";
import { type Route, route } from "./route.ts";
import { claimWork } from "./claim-work.ts";

type Report = Exclude<keyof WorkService, "claim" | "waiting" | "stop">;

interface Reporting<Input extends z.ZodType> {
  name: Report;
  input: Input;
  output: z.ZodType;
  summary: string;
  run: (work: WorkService, principal: Principal, input: z.output<Input>) => Promise<unknown>;
}

const report = <Input extends z.ZodType>(reporting: Reporting<Input>): Route => {
  const { name, input, output, summary, run } = reporting;
  return route({
    method: "POST",
    path: `/work/jobs/{jobId}/${name}`,
    operationId: `${name}Work`,
    summary,
    tag: "Work",
    answer: {
      procedure: `work.${name}`,
      input,
      status: 200,
      output,
      run: ({ principal, context }, given) => run(context.work, principal, given),
    },
  });
};

export const WORK_ROUTES: readonly Route[] = [
  route({
    method: "POST",
    path: "/work/claims",
    operationId: "claimWork",
    summary: "Get jobs to run, or wait for some",
    tag: "Work",
    answer: {
      procedure: "work.claim",
      input: WorkAsked,
      status: 200,
      output: ANSWERS.Work,
      run: claimWork,
    },
  }),
  report({
    name: "progress",
    input: Progress,
    output: ANSWERS.WorkHeld,
    summary: "Report progress, and renew the lease",
    run: (work, principal, input) => work.progress(principal, input),
  }),
  report({
    name: "draft",
    input: DraftPiece,
    output: ANSWERS.WorkDraftHeld,
    summary: "Append to the draft that people watch, and renew the lease",
    run: (work, principal, input) => work.draft(principal, input),
  }),
  report({
    name: "renew",
    input: JobHeld,
    output: ANSWERS.WorkHeld,
    summary: "Renew the lease",
    run: (work, principal, input) => work.renew(principal, input),
  }),
  report({
    name: "deliver",
    input: Delivery,
    output: ANSWERS.WorkEnded,
    summary: "End the job with its output",
    run: (work, principal, input) => work.deliver(principal, input),
  }),
  report({
    name: "block",
    input: Block,
    output: ANSWERS.WorkEnded,
    summary: "Let a person decide about the output",
    run: (work, principal, input) => work.block(principal, input),
  }),
  report({
    name: "fail",
    input: Failing,
    output: ANSWERS.WorkEnded,
    summary: "End the job with an error, or have it retried",
    run: (work, principal, input) => work.fail(principal, input),
  }),
  report({
    name: "release",
    input: JobHeld,
    output: ANSWERS.WorkEnded,
    summary: "Give the job back unfinished, which uses up no attempt",
    run: (work, principal, input) => work.release(principal, input),
  }),
];
