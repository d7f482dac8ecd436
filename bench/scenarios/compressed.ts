/** Events that are compressed for each watcher, beside the same events uncompressed and beside the compression of `ws`. */
import { BYTES, type Contender } from "#bench/delivery.ts";
import { JOBWIRE_TRPC, RAW_WS } from "./contenders.ts";
import { type DeliveryScenario, deliveryScenario } from "./delivery-scenario.ts";

/** As browsers ask for compression. */
const OFFER = "permessage-deflate; client_max_window_bits";
/** Of a client that forgets each message, so that none can refer to the one before. */
const FORGETS = "permessage-deflate; server_no_context_takeover";

interface Size {
  plain: Contender;
  history: Contender;
  alone: Contender;
  stock: Contender;
}

/** `details`: its bytes of JSON make the size of the event. */
function ofSize(size: string, details?: number): Size {
  const event = details === undefined ? {} : { details };
  return {
    plain: { ...JOBWIRE_TRPC, ...event, who: `Jobwire, ${size}` },
    history: { ...JOBWIRE_TRPC, ...event, who: `Jobwire, ${size}, compressed`, offer: OFFER },
    alone: { ...JOBWIRE_TRPC, ...event, who: `Jobwire, ${size}, alone`, offer: FORGETS },
    stock: { ...RAW_WS, ...event, who: `ws, ${size}, compressed`, offer: OFFER },
  };
}

const SMALL = ofSize("330 bytes");
const LARGE = ofSize("1 KB", 650);

const bytesGoals = [
  { what: "bytes of 330 after the event before", who: SMALL.history, to: SMALL.plain, atMost: 0.3 },
  { what: "bytes of 330 alone", who: SMALL.alone, to: SMALL.plain, atMost: 0.8 },
  {
    what: "bytes of 1 KB after the event before",
    who: LARGE.history,
    to: LARGE.plain,
    atMost: 0.3,
  },
].map((goal) => ({ ...goal, column: BYTES }));

const scenario = (
  own: Pick<DeliveryScenario, "name" | "perTick" | "full"> & { how: string },
): DeliveryScenario => ({
  ...own,
  title: { what: "Compressed delivery", how: own.how },
  contenders: () => [SMALL, LARGE].flatMap((size) => Object.values(size) as Contender[]),
  goals: [
    ...bytesGoals,
    {
      what: "CPU of 330 bytes against uncompressed",
      who: SMALL.history,
      to: SMALL.plain,
      atMost: 1.1,
    },
    { what: "CPU of 1 KB against uncompressed", who: LARGE.history, to: LARGE.plain, atMost: 1.1 },
    {
      what: "CPU of 330 bytes against the compression of ws",
      who: SMALL.history,
      to: SMALL.stock,
      atMost: 0.25,
    },
  ],
});

export const compressed = deliveryScenario(
  scenario({ name: "compressed", perTick: 1, full: { events: 30, rounds: 5 }, how: "one event" }),
);
export const compressedTenATick = deliveryScenario(
  scenario({
    name: "compressed-ten-a-tick",
    perTick: 10,
    full: { events: 50, rounds: 3 },
    how: "ten events",
  }),
);
