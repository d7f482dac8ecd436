/** For tests: the encoder that a stock tRPC client takes as `experimental_encoder`, as tRPC's own example writes it. */
import { decode, encode } from "@msgpack/msgpack";
import type { Encoder } from "@trpc/client";

export const msgpackEncoder: Encoder = {
  encode: (message) => encode(message, { ignoreUndefined: true }),
  decode(data) {
    if (typeof data === "string") throw new Error("The client expects binary frames.");
    return decode(data);
  },
};
