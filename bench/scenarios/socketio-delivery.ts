/** One event at a time to a thousand legacy clients that watch one job. */
import { JOBWIRE_SOCKETIO, STOCK_SOCKETIO, pythonSocketio } from "./contenders.ts";
import { deliveryScenario } from "./delivery-scenario.ts";

export const socketioDelivery = deliveryScenario({
  name: "socketio-delivery",
  title: { what: "Socket.IO delivery", how: "one event" },
  perTick: 1,
  full: { events: 60, rounds: 7 },
  contenders: () => [JOBWIRE_SOCKETIO, STOCK_SOCKETIO, pythonSocketio()],
  goals: [
    {
      what: "CPU against a stock Socket.IO room",
      who: JOBWIRE_SOCKETIO,
      to: STOCK_SOCKETIO,
      atMost: 0.8,
    },
  ],
});
