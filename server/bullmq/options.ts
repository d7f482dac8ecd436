/** The options of `bullmqQueues`, and their checks. The types name nothing of Node or of BullMQ. */
import { KindError } from "#server/kinds/kind-error.ts";
import { cutText, isWellFormed } from "#shared/cut-text.ts";
import { MAX_KIND_CHARS, MAX_PRINCIPAL_CHARS } from "#shared/limits.ts";

/** BullMQ's Redis. A user with read rights is enough. */
export interface BullmqConnection {
  host?: string | undefined;
  port?: number | undefined;
  username?: string | undefined;
  password?: string | undefined;
  db?: number | undefined;
  tls?: boolean | undefined;
}

export interface BullmqQueue {
  /** As in BullMQ. */
  name: string;
  /** Its jobs belong to this owner in this tenant, who may read them as its own ones. */
  tenant: string;
  owner: string;
  /**
   * Its jobs have the kind `bullmq:<as>`. Default: the name. Needed for a name with other characters than letters, digits, `_`, `.`
   * and `-`, and for two queues of one name.
   */
  as?: string | undefined;
  /** Its prefix in BullMQ. Default: "bull". */
  prefix?: string | undefined;
  /** How many completed and how many failed jobs of before are shown, the newest ones. Default: 1000. */
  history?: number | undefined;
  /**
   * BullMQ's `Queue` of this name, by which Jobwire's `cancel` and `retry` remove a job and retry one that failed. Without it they are
   * refused. The program closes it.
   */
  control?: BullmqControl | undefined;
}

/** The parts of BullMQ's `Queue` that are used. */
export interface BullmqControl {
  getJob(id: string): Promise<BullmqControlledJob | null | undefined>;
}

export interface BullmqControlledJob {
  readonly timestamp: number;
  remove(): Promise<unknown>;
  retry(state: "failed"): Promise<unknown>;
}

export interface BullmqOptions {
  /** An address, `redis://user:password@host:6379/0` or `rediss://…`, or its parts. */
  connection: string | BullmqConnection;
  queues: readonly BullmqQueue[];
}

export interface CheckedQueue {
  name: string;
  tenant: string;
  owner: string;
  prefix: string;
  history: number;
  control: BullmqControl | undefined;
  kind: string;
}

const KIND_PREFIX = "bullmq:";
const AS = /^[\w.-]+$/;
const MAX_HISTORY = 100_000;

/** Throws `KindError`, which names the queue and what to change. */
export function checkOptions({ connection, queues }: BullmqOptions): CheckedQueue[] {
  const isAddress = typeof connection === "string" && /^rediss?:\/\//.test(connection);
  if (!isAddress && (typeof connection !== "object" || (connection as unknown) === null)) {
    throw new KindError(
      "`connection` of bullmqQueues is no address of a Redis. Give redis://host:6379, or its parts.",
    );
  }
  if (!Array.isArray(queues) || queues.length === 0) {
    throw new KindError("`queues` of bullmqQueues is empty. Give the queues to show.");
  }
  const checked = (queues as readonly BullmqQueue[]).map(checkQueue);
  for (const [index, { kind }] of checked.entries()) {
    if (checked.findIndex((other) => other.kind === kind) !== index) {
      throw new KindError(
        `Two queues of bullmqQueues would be "${kind}". Name each queue once, and give queues of one name different names by \`as\`.`,
      );
    }
  }
  return checked;
}

function checkQueue(queue: BullmqQueue): CheckedQueue {
  const { name, tenant, owner, as = name, prefix = "bull", history = 1000, control } = queue ?? {};
  const shown = typeof name === "string" ? cutText(name, MAX_KIND_CHARS) : typeof name;
  const refuse = (why: string) => new KindError(`The queue "${shown}" of bullmqQueues ${why}.`);
  if (typeof name !== "string" || name === "" || name.includes(":")) {
    throw refuse("has a name that no queue of BullMQ can have. Give `name` as BullMQ knows it");
  }
  if (!AS.test(as) || KIND_PREFIX.length + as.length > MAX_KIND_CHARS) {
    throw refuse("needs a name for Jobwire. Give `as`, of letters, digits, `_`, `.` and `-`");
  }
  for (const [field, value] of Object.entries({ tenant, owner })) {
    const isName = typeof value === "string" && value !== "" && isWellFormed(value);
    if (!isName || value.length > MAX_PRINCIPAL_CHARS) {
      throw refuse(`has no \`${field}\`. Say to whom its jobs belong`);
    }
  }
  if (typeof prefix !== "string" || prefix === "") throw refuse("has an empty `prefix`");
  if (!Number.isInteger(history) || history < 0 || history > MAX_HISTORY) {
    throw refuse(`has a \`history\` that is no whole number from 0 to ${MAX_HISTORY}`);
  }
  if (
    control !== undefined &&
    typeof (control as Partial<BullmqControl> | null)?.getJob !== "function"
  ) {
    throw refuse(
      "has a `control` that is none. Give BullMQ's `new Queue(name, …)`, or leave it out",
    );
  }
  return { name, tenant, owner, prefix, history, control, kind: `${KIND_PREFIX}${as}` };
}
