/** Reports each event once, after its commit. It wraps every engine, so that none can forget it. */
import type { JobEvent } from "#shared/events.ts";
import { createdJob, EVENT_OF } from "#shared/lifecycle.ts";
import { newestEvent } from "#shared/newest-event.ts";
import type { Engine } from "./contract.ts";

export function reportEvents(engine: Engine, onEvent: (event: JobEvent) => void): Engine {
  engine.onExpired(onEvent);
  return {
    ...engine,
    async createJob(fresh, at, quota) {
      const job = await engine.createJob(fresh, at, quota);
      // Another id: the idempotency key was used before, and nothing was stored.
      if (job.id === fresh.id) onEvent(createdJob(fresh, at).event);
      else if (fresh.debounce !== undefined) {
        onEvent(newestEvent(job, EVENT_OF.debounce, at, fresh.actor));
      }
      return job;
    },
    async createBatch(batch, jobs, at, quota) {
      const stored = await engine.createBatch(batch, jobs, at, quota);
      if (stored.id === batch.id) for (const fresh of jobs) onEvent(createdJob(fresh, at).event);
      return stored;
    },
    async claim(request) {
      const claims = await engine.claim(request);
      for (const { started } of claims) if (started) onEvent(started);
      return claims;
    },
    async change(...args) {
      const changed = await engine.change(...args);
      onEvent(changed.event);
      return changed;
    },
  };
}
