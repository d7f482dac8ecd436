/** Notifications after the commit: hints to watchers, and the signal that there is work. */
import type { CredentialHint } from "#shared/credential-hint.ts";
import type { JobEvent } from "#shared/events.ts";
import type { Owner } from "#shared/principal.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { Hints } from "./hints.ts";
import type { WorkSignal } from "./work-signal.ts";

export interface Outbox {
  /** The log of a job grew by `event`. */
  job(event: JobEvent): void;
  draft(jobId: string): void;
  lines(jobId: string): void;
  batch(batchId: string): void;
  feed(owner: Owner): void;
  /** A job may be claimed from `due` on. */
  queued(due: number): void;
  /** A job expires at a time that is not known yet. */
  expiring(): void;
  /** A job expired by this event. */
  expired(event: JobEvent): void;
  /** Leases began or were prolonged. */
  leased(): void;
  /** A pause ended. */
  resumed(): void;
  credentialEnded(hint: CredentialHint): void;
}

interface OutboxOptions {
  group: GroupCommit;
  hints: Hints;
  work: WorkSignal;
  expiry: { rearm: () => void; tell: (event: JobEvent) => void };
  clock: () => number;
}

export function createOutbox({ group, hints, work, expiry, clock }: OutboxOptions): Outbox {
  function draft(jobId: string): void {
    group.afterCommit(() => hints.emit({ stream: "draft", jobId }, {}));
  }
  function lines(jobId: string): void {
    group.afterCommit(() => hints.emit({ stream: "lines", jobId }, {}));
  }
  return {
    job(event) {
      const { jobId } = event;
      group.afterCommit(() => hints.emit({ stream: "job", jobId }, { event }));
      if (event.type === "progress") return;
      // The job's status decides whether its draft and its log lines go on.
      draft(jobId);
      lines(jobId);
    },
    draft,
    lines,
    batch(batchId) {
      group.afterCommit(() => hints.emit({ stream: "batch", batchId }, {}));
    },
    feed({ tenant, owner }) {
      group.afterCommit(() => {
        hints.emit({ stream: "feed", of: { tenant, owner } }, {});
        hints.emit({ stream: "feed", of: { tenant } }, {});
      });
    },
    queued(due) {
      group.afterCommit(due <= clock() ? work.fire : work.rearm);
    },
    expiring() {
      group.afterCommit(expiry.rearm);
    },
    expired(event) {
      group.afterCommit(() => expiry.tell(event));
    },
    leased() {
      group.afterCommit(work.rearm);
    },
    resumed() {
      group.afterCommit(work.fire);
    },
    credentialEnded(hint) {
      group.afterCommit(() => hints.emitCredential(hint));
    },
  };
}
