/** The subpath `jobwire/bullmq`: shows the jobs of BullMQ's queues live. */
export { bullmqQueues } from "./queues.ts";
export type {
  BullmqConnection,
  BullmqControl,
  BullmqControlledJob,
  BullmqOptions,
  BullmqQueue,
} from "./options.ts";
export type { BullmqDetails } from "./bullmq-details.ts";
