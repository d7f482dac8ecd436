/** The part of an engine's contract by which runners get jobs: whom a claim gives which ones, and how long it holds. */
import type { JobEvent } from "#shared/events.ts";
import type { Job, JobError, JobSummary } from "#shared/job.ts";
import type { LimitsOfKinds } from "./kind-limits.ts";
import type { Wanted } from "./wanted.ts";

export interface Claiming {
  /**
   * Takes jobs to work on, `max` at most, and gives them in this order, which the sizes of claims do not change:
   *
   * 1. Jobs whose lease ended: their runner died, or did not renew it. Among them in any order. They take no turn, they had
   *    theirs.
   * 2. Ready jobs that are not held back: PENDING ones that no runner holds, and whose delay is over. Tenants take turns. A
   *    tenant with ready jobs has a `turn`; the tenant with the smallest is next (ties by name, in UTF-8), and each job given
   *    sets its turn to `turnAfter` (`turns.ts`): it adds `stepOf`. A tenant that gets ready jobs while it has no turn enters
   *    at `now` + `stepOf`, where `now` is the largest turn from which a job was given so far: at `now` alone, one that empties
   *    and refills would take every turn. A tenant without ready jobs loses its turn, however the last one went. Within a tenant
   *    the smallest `rankOf` is next, ties in the order of creation: of the time at which the job was queued, or at which its
   *    delay ended, by the clock of the engine. So to wait outweighs priority in the end. A job that is released at once without
   *    `counts` keeps its rank.
   *
   * A ready job is **held back** where one more job would be beyond a limit that `limits` has of its kind. `concurrency` counts
   * the jobs that run, which are those that a claim gave and that did not settle and were not released since, also when their
   * lease ended: of the kind, and by `perKey` of the tenant, kind and key. `rate` counts the starts, which are the ready jobs
   * that claims gave. Held-back jobs are skipped: the job keeps its rank, and its tenant its turn, with which it may have to
   * wait; the next job is one of the tenant with the smallest turn among those that have one that is not held back. Jobs whose
   * lease ended are given whatever the limits are. The limits are those of the program that claims: nothing of them is stored,
   * and the next claim may come with others. No limit is exceeded, with any number of processes, through the death of any of
   * them at any moment and through answers and hints that are lost; except by an engine with `multiProcess` that lost its newest
   * writes, until the leases that it lost would have ended. Without `multiProcess`, opening the data forgets the starts.
   *
   * `wanted` is a limit too: a ready job that is not wanted is held back from this claim. A claim may give others that it does
   * not want, as those whose lease ended. Its caller ends them with a `release` that does not count.
   *
   * The order is exact for claims of one job, and for all where no kind has limits. With `multiProcess`, a claim of several may
   * let a tenant that waits for the same limit as another one have its turn later in that claim.
   *
   * Delays that are over are noticed by the next claim; where more than `MAX_DELAYS_A_CLAIM` are over (of all tenants, or of
   * one), each claim notices as many, or `max` where that is more, the earliest first. A claim costs the same however many
   * jobs wait or are held back, of however many tenants and keys. Without `multiProcess` opening the data begins all turns anew.
   *
   * Each job is given to one caller only until its lease ends; after that the claim may be lost at any moment, and it is lost
   * for good once another one got the job. Where several processes claim at once, each takes its turns from what the others
   * left, and a claim may miss a job that another process is just taking and returning; `onWork` tells when it is back. With
   * `start`, those that are PENDING are started, as `change` under the claim would; otherwise no record is changed. The
   * caller reports the result of a job with `change`. A job whose `start` throws or gives nonsense, or whose input cannot be
   * read, is started and given out like the others of the same claim, with a `fault`. A job that was started by a `change`
   * without a claim is given like a ready one.
   */
  claim(request: ClaimRequest): Promise<Claim[]>;
  /** Prolongs leases. Returns the claims that do not hold any more. */
  renew(claims: readonly ClaimRef[], leaseMs: number, now: Date): Promise<ClaimRef[]>;
}

/** Proof that a runner holds a job. `token` is never given out twice for a job. */
export interface ClaimRef {
  jobId: string;
  token: number;
}

export interface Claim extends ClaimRef {
  /** As it is after the claim. */
  job: Job;
  /** Says that this claim started it. `null` where it was PROCESSING: its runner died. */
  started: JobEvent | null;
  /** As the creator of the job gave it. */
  trace: string | undefined;
  /** Why the job cannot run. It is to be ended with this error. */
  fault?: JobError | undefined;
}

export interface ClaimRequest {
  worker: string;
  max: number;
  leaseMs: number;
  now: Date;
  /** Default: no kind has any. */
  limits?: LimitsOfKinds | undefined;
  /** Default: all. */
  wanted?: Wanted | undefined;
  /** The first message and percent of an attempt. Pure. */
  start?: ((job: JobSummary) => { progress: number; message: string }) | undefined;
}
