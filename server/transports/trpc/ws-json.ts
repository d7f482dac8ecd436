/** JSON in text frames, the encoding of stock clients. */
import { textFrame } from "#server/transports/sockets/text-frame.ts";
import { jsonShape, MAX_NESTING } from "#server/transports/requests/json-shape.ts";
import { excessOf } from "#server/transports/requests/json-body.ts";
import type { Format } from "./ws-format.ts";
import { MAX_MESSAGE_ITEMS, MessageRefused, tooManyItems } from "./ws-message.ts";

export const JSON_FORMAT: Format<string> = {
  encode: (message) => JSON.stringify(message),
  decode(received) {
    if (typeof received !== "string")
      throw new Error("Messages of this connection are JSON in text frames; this one was binary.");
    return { value: parse(received), hasNotJson: false };
  },
  idIn: (received) => (typeof received === "string" ? idIn(received) : null),
  headOf({ id, jsonrpc }) {
    const version = jsonrpc === undefined ? "" : `"jsonrpc":"${jsonrpc}",`;
    return `{"id":${JSON.stringify(id)},${version}`;
  },
  restOf: (id, data) =>
    `"result":{"type":"data","data":${JSON.stringify(data)},"id":${JSON.stringify(id)}}}`,
  frameOf: (head, rest) => textFrame(head + rest),
  bodyOf: (rest) => Buffer.from(rest),
};

function parse(text: string): unknown {
  const shape = jsonShape(text, MAX_NESTING);
  const isList = shape.depth > 1 && text.startsWith("[");
  if (isList && shape.items > MAX_MESSAGE_ITEMS) throw tooManyItems();
  const excess = excessOf(shape);
  if (excess !== undefined) {
    throw new MessageRefused(excess, {
      id: idIn(text),
      ofSeveral: isList && shape.depth <= MAX_NESTING,
    });
  }
  return JSON.parse(text);
}

/** Returns the id of a message in the form that stock clients write. */
function idIn(text: string): number | string | null {
  const id = /^\{"id":(\d{1,15}|"[^"\\]{1,100}"),/.exec(text.slice(0, 200))?.[1];
  return id === undefined ? null : (JSON.parse(id) as number | string);
}
