/**
 * The program with faulty kinds and a faulty `authenticate`. Each job and each request selects the fault.
 */
import { z } from "zod";
import { defineKind, delivered } from "#server/kinds/define.ts";
import { runProgram } from "#server/program.ts";
import type { Authenticate } from "#server/transports/contract.ts";
import { AppError } from "#shared/errors.ts";
import { LOCAL_PRINCIPAL, type Principal } from "#shared/principal.ts";

/** Kinds are named by identifiers. */
const nameOf = (what: string) => what.replaceAll(" ", "_");

/** Start states that no engine may store. */
const STARTS: Record<string, unknown> = {
  "half a percent": { progress: 0.5, message: "Job started" },
  "no percent": { progress: Number.NaN, message: "Job started" },
  "too many percent": { progress: 101, message: "Job started" },
  "a negative percent": { progress: -1, message: "Job started" },
  "a percent as text": { progress: "5", message: "Job started" },
  "no message": { progress: 0, message: null },
  "a message that is a number": { progress: 0, message: 5 },
};

const badStarts = Object.entries(STARTS).map(([name, start]) =>
  defineKind({
    name: nameOf(name),
    description: "Starts with an invalid state.",
    input: z.unknown(),
    output: z.null(),
    title: () => name,
    start: start as { progress: number; message: string },
    run: async () => null,
  }),
);

const OUTCOMES: Record<string, () => unknown> = {
  "an outcome without a message": () => delivered(null as unknown as string, null),
  "an output that is nothing": () => undefined,
  "an output that does not fit": () => ({ status: "delivered", message: "x", output: null }),
  "an output that is no JSON": () => ({ n: 10n }),
  "a throw": () => {
    throw new Error("thrown");
  },
  "a throw of null": () => {
    throw null;
  },
  "a throw of an object without a prototype": () => {
    throw Object.create(null);
  },
  "a reject of a text": () => Promise.reject("rejected"),
};

const badOutcomes = Object.entries(OUTCOMES).map(([name, end]) =>
  defineKind({
    name: nameOf(name),
    description: "Returns an invalid outcome.",
    input: z.unknown(),
    output: z.object({ n: z.unknown() }),
    title: () => name,
    start: { progress: 0, message: "Job started" },
    run: async () => (await end()) as { n: unknown },
  }),
);

const good = defineKind({
  name: "good",
  description: "Behaves correctly.",
  input: z.unknown(),
  output: z.null(),
  title: () => "Good",
  start: { progress: 0, message: "Job started" },
  run: async () => null,
});

const AUTHENTICATE: Record<string, () => Promise<Principal>> = {
  throw: () => {
    throw new Error("thrown at once");
  },
  "throw-nothing": () => {
    throw Object.create(null);
  },
  refuse: () => Promise.reject(new AppError("UNAUTHENTICATED", "Sign in first.")),
  reject: () => Promise.reject(new Error("rejected")),
  "reject-nothing": () => Promise.reject(Object.create(null)),
  "reject-undefined": () => Promise.reject(),
  "resolve-nothing": () => Promise.resolve(undefined as never),
  hang: () => new Promise(() => {}),
};

const authenticate: Authenticate = ({ headers }) =>
  AUTHENTICATE[String(headers["x-authenticate"])]?.() ?? Promise.resolve(LOCAL_PRINCIPAL);

await runProgram(process.env, { kinds: [...badStarts, ...badOutcomes, good], authenticate });
