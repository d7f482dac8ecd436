/** Shows queues of BullMQ, whose package is not installed. */
import { createJobwire } from "jobwire";
import { type BullmqControl, type BullmqDetails, bullmqQueues } from "jobwire/bullmq";

declare const mail: BullmqControl;
export const jobwire = createJobwire({
  kinds: [],
  sources: [
    bullmqQueues({
      connection: { host: "127.0.0.1", port: 6379, tls: true },
      queues: [{ name: "mail", tenant: "acme", owner: "ops", control: mail, history: 10 }],
    }),
  ],
});
export const stateOf = (details: unknown): string => (details as BullmqDetails).state;
