import fc from "fast-check";
import { expect, test } from "vitest";
import { acceptOffer, offerOf } from "./deflate-offer.ts";

const plain = { forgets: false, windowBits: undefined };

test.each([
  // As browsers, `ws`, Node, aiohttp, python-websockets and Go's gorilla send them.
  ["permessage-deflate", plain],
  ["permessage-deflate; client_max_window_bits", plain],
  ["permessage-deflate; client_max_window_bits=12", plain],
  [
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    { ...plain, forgets: true },
  ],
  [
    "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12",
    { ...plain, windowBits: 12 },
  ],
  ['permessage-deflate; server_max_window_bits="10"', { ...plain, windowBits: 10 }],
  ["permessage-deflate; server_max_window_bits=8", { ...plain, windowBits: 8 }],
  // The first valid one of several.
  ["x-webkit-deflate-frame, permessage-deflate", plain],
  [
    "permessage-deflate; server_max_window_bits=9; server_no_context_takeover, permessage-deflate",
    { forgets: true, windowBits: 9 },
  ],
  [
    "permessage-deflate; nonsense, permessage-deflate; server_max_window_bits=15",
    { ...plain, windowBits: 15 },
  ],
  // RFC 7692 (7.1): offers with parameters that are unknown, repeated or invalid are declined.
  ["permessage-deflate; nonsense", undefined],
  ["permessage-deflate; server_no_context_takeover; server_no_context_takeover", undefined],
  ["permessage-deflate; server_no_context_takeover=1", undefined],
  ["permessage-deflate; server_max_window_bits", undefined],
  ["permessage-deflate; server_max_window_bits=7", undefined],
  ["permessage-deflate; server_max_window_bits=16", undefined],
  ["permessage-deflate; server_max_window_bits=010", undefined],
  ["permessage-deflate; server_max_window_bits=1e1", undefined],
  ["permessage-deflate; client_max_window_bits=7", undefined],
  ["permessage-deflate; client_max_window_bits; client_max_window_bits", undefined],
  ["permessage-deflate; __proto__", undefined],
  ["permessage-bzip2", undefined],
  ["__proto__; a=1", undefined],
])("[Z2] an offer %j is accepted on its terms, or declined", (header, terms) => {
  expect(acceptOffer(header)).toEqual(terms);
});

test.each([
  "",
  ";",
  "permessage-deflate;",
  "permessage-deflate; a=",
  "permessage-deflate,,",
  '"x"',
])("[Z2] a malformed offer %j is an error", (header) => {
  expect(() => acceptOffer(header)).toThrow(SyntaxError);
});

test("[Z2] what `ws` is told to accept are the terms of the client", () => {
  const windowBits = fc.option(fc.integer({ min: 8, max: 15 }), { nil: undefined });
  fc.assert(
    fc.property(fc.record({ forgets: fc.boolean(), windowBits }), (terms) => {
      expect(acceptOffer(offerOf(terms))).toEqual(terms);
    }),
  );
});
