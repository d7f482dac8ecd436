/** MessagePack in binary frames, for stock clients with such an `experimental_encoder`. The messages are the same as in JSON. */
import { binaryFrame } from "#server/transports/sockets/binary-frame.ts";
import { writeMsgpack } from "#server/transports/sockets/write-msgpack.ts";
import {
  MsgpackExcess,
  type MsgpackValue,
  readMsgpack,
  valueAt,
} from "#server/transports/requests/read-msgpack.ts";
import { MAX_NESTING } from "#server/transports/requests/json-shape.ts";
import { excessOf } from "#server/transports/requests/json-body.ts";
import type { Format } from "./ws-format.ts";
import { MAX_MESSAGE_ITEMS, MessageRefused, tooManyItems } from "./ws-message.ts";

/** The first byte of a map of few members, without their number. */
const MAP = 0x80;
const ID = Buffer.from(writeMsgpack("id"));
const JSONRPC = Buffer.concat([writeMsgpack("jsonrpc"), writeMsgpack("2.0")]);
const RESULT = writeMsgpack("result");
const MAX_ID_LENGTH = 100;

export const MSGPACK_FORMAT: Format<Uint8Array> = {
  encode: writeMsgpack,
  decode(received) {
    if (typeof received === "string")
      throw new Error(
        "Messages of this connection are MessagePack in binary frames; this one was text.",
      );
    const message = read(received);
    if (Array.isArray(message.value) && message.value.length > MAX_MESSAGE_ITEMS)
      throw tooManyItems();
    return message;
  },
  idIn: (received) => (typeof received === "string" ? null : idIn(received)),
  // An answer is a map of its id, `jsonrpc` if the request had it, and its result.
  headOf({ id, jsonrpc }) {
    const version = jsonrpc === undefined ? [] : [JSONRPC];
    const members = Buffer.of(MAP + 2 + version.length);
    return Buffer.concat([members, ID, writeMsgpack(id), ...version]).toString("latin1");
  },
  restOf: (id, data) => Buffer.concat([RESULT, writeMsgpack({ type: "data", data, id })]),
  frameOf: (head, rest) => binaryFrame(Buffer.from(head, "latin1"), rest),
};

function read(bytes: Buffer): MsgpackValue {
  try {
    return readMsgpack(bytes);
  } catch (error) {
    if (!(error instanceof MsgpackExcess)) throw error;
    const { depth } = error.shape;
    throw new MessageRefused(excessOf(error.shape) ?? error.message, {
      id: idIn(bytes),
      ofSeveral: isList(bytes) && depth <= MAX_NESTING,
    });
  }
}

function isList([type = 0]: Buffer): boolean {
  return (type & 0xf0) === 0x90 || type === 0xdc || type === 0xdd;
}

/** Returns the id of a message in the form that stock clients write: a map whose first member it is. */
function idIn(bytes: Buffer): number | string | null {
  const [type = 0] = bytes;
  const isMap = (type & 0xf0) === MAP;
  if (!isMap || !bytes.subarray(1, 1 + ID.length).equals(ID)) return null;
  const id = valueAt(bytes, 1 + ID.length);
  if (typeof id === "string") return id.length <= MAX_ID_LENGTH ? id : null;
  return Number.isSafeInteger(id) ? (id as number) : null;
}
