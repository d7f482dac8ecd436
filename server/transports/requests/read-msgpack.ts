/**
 * Reads MessagePack as JSON values, within the limits of `json-shape.ts`. A few bytes can declare a list of four billion
 * elements, so each length is compared with the bytes that are there before anything is allocated for it.
 *
 * The format has values that JSON does not have. A client must learn which of its calls holds one, so they are read as
 * `NotJson`, and the caller refuses what holds one.
 *
 * https://github.com/msgpack/msgpack/blob/master/spec.md
 */
import { isUtf8 } from "node:buffer";
import { cutText } from "#shared/cut-text.ts";
import { type JsonShape, MAX_NESTING, MAX_VALUES } from "./json-shape.ts";

/** Stands for a value that JSON does not have. */
export class NotJson {
  /** For people: "binary data". */
  readonly what: string;

  constructor(what: string) {
    this.what = what;
  }
}

/** The bytes are not one whole MessagePack value. */
export class NotMsgpack extends Error {
  override readonly name = "NotMsgpack";
}

/** The value exceeds `MAX_NESTING` or `MAX_VALUES`. */
export class MsgpackExcess extends Error {
  override readonly name = "MsgpackExcess";
  /** Up to the place where the limit was exceeded. */
  readonly shape: Pick<JsonShape, "depth" | "values">;

  constructor(shape: Pick<JsonShape, "depth" | "values">) {
    super("The value exceeds a limit.");
    this.shape = shape;
  }
}

export interface MsgpackValue {
  value: unknown;
  /** True if a `NotJson` is in the value. */
  hasNotJson: boolean;
}

const MAX_PATH_CHARS = 100;
const FIXMAP = 0x80;
const FIXLIST = 0x90;
const FIXTEXT = 0xa0;
const NIL = 0xc0;
const NEGATIVE = 0xe0;

/**
 * Throws `NotMsgpack` and `MsgpackExcess`. `takesUndefined`: reads `undefined` as `notepack.io` writes it in Node (extension 0
 * with one byte 0). As in JSON, a member of a map with it is left out, and elsewhere it is `null`.
 */
export function readMsgpack(bytes: Buffer, takesUndefined = false): MsgpackValue {
  const reader = new Reader(bytes, takesUndefined);
  const value = reader.item();
  const rest = bytes.length - reader.at;
  if (rest > 0) throw new NotMsgpack(`${rest} bytes follow the MessagePack value.`);
  return { value, hasNotJson: reader.hasNotJson };
}

/** Returns the value at `start`, whatever follows it; `undefined` if there is none. */
export function valueAt(bytes: Buffer, start: number): unknown {
  try {
    return new Reader(bytes.subarray(start), false).item();
  } catch {
    return undefined;
  }
}

/** Returns a message for people about the first value in `value` that JSON does not have; `undefined` if there is none. */
export function faultOf(value: unknown): string | undefined {
  const path: string[] = [];
  const what = findNotJson(value, path);
  if (what === undefined) return undefined;
  const place = path.length === 0 ? "The message is" : `At "${pathText(path)}", the message holds`;
  return `${place} ${what}, which JSON does not have. Send what JSON has.`;
}

const pathText = (path: readonly string[]) => cutText(path.join("."), MAX_PATH_CHARS);

/** Leaves in `path` the keys to what it found. */
function findNotJson(value: unknown, path: string[]): string | undefined {
  if (value instanceof NotJson) return value.what;
  if (typeof value !== "object" || value === null) return undefined;
  for (const key of Object.keys(value)) {
    path.push(key);
    const found = findNotJson((value as Record<string, unknown>)[key], path);
    if (found !== undefined) return found;
    path.pop();
  }
  return undefined;
}

class Reader {
  at = 0;
  hasNotJson = false;
  readonly #bytes: Buffer;
  #depth = 0;
  #values = 1;

  readonly #takesUndefined: boolean;

  constructor(bytes: Buffer, takesUndefined: boolean) {
    this.#bytes = bytes;
    this.#takesUndefined = takesUndefined;
  }

  item(): unknown {
    return this.#value() ?? null;
  }

  /** `undefined` where there is nothing. */
  #value(): unknown {
    const type = this.#uint(1);
    if (type < FIXMAP) return type;
    if (type < FIXLIST) return this.#map(type & 0x0f);
    if (type < FIXTEXT) return this.#list(type & 0x0f);
    if (type < NIL) return this.#text(type & 0x1f);
    if (type >= NEGATIVE) return type - 0x100;
    return this.#typed(type);
  }

  /** Reads the value after a type that has no value in it. */
  #typed(type: number): unknown {
    switch (type) {
      case NIL:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#skip(this.#uint(1 << (type - 0xc4)), "binary data");
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.#skip(this.#uint(1 << (type - 0xc7)) + 1, "an extension type");
      case 0xca:
        return this.#number(this.#bytes.readFloatBE(this.#take(4)));
      case 0xcb:
        return this.#number(this.#bytes.readDoubleBE(this.#take(8)));
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#uint(1 << (type - 0xcc));
      case 0xcf:
        return this.#integer(this.#bytes.readBigUInt64BE(this.#take(8)));
      case 0xd0:
      case 0xd1:
      case 0xd2: {
        const size = 1 << (type - 0xd0);
        return this.#bytes.readIntBE(this.#take(size), size);
      }
      case 0xd3:
        return this.#integer(this.#bytes.readBigInt64BE(this.#take(8)));
      case 0xd4:
        if (this.#takesUndefined && this.#uint(2) === 0) return undefined;
        return this.#skip(this.#takesUndefined ? 0 : 2, "an extension type");
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.#skip((1 << (type - 0xd4)) + 1, "an extension type");
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#uint(1 << (type - 0xd9)));
      case 0xdc:
      case 0xdd:
        return this.#list(this.#uint(2 << (type - 0xdc)));
      case 0xde:
      case 0xdf:
        return this.#map(this.#uint(2 << (type - 0xde)));
      default:
        throw new NotMsgpack(`No MessagePack value begins with the byte 0x${type.toString(16)}.`);
    }
  }

  #list(length: number): unknown[] {
    this.#open(length, length);
    const list: unknown[] = [];
    for (let n = 0; n < length; n++) list.push(this.item());
    this.#depth -= 1;
    return list;
  }

  /** As `JSON.parse` does, it takes any text for a key, and the last of equal keys counts. */
  #map(length: number): unknown {
    this.#open(length, 2 * length);
    const map: Record<string, unknown> = {};
    let hasOnlyTexts = true;
    for (let n = 0; n < length; n++) {
      const key = this.#value();
      const value = this.#value();
      if (typeof key !== "string") hasOnlyTexts = false;
      else if (value === undefined) continue;
      else if (key === "__proto__") define(map, key, value);
      else map[key] = value;
    }
    this.#depth -= 1;
    return hasOnlyTexts ? map : this.#notJson("a map whose keys are not all texts");
  }

  #open(length: number, minBytes: number): void {
    this.#depth += 1;
    this.#values += length;
    if (this.#depth > MAX_NESTING || this.#values > MAX_VALUES)
      throw new MsgpackExcess({ depth: this.#depth, values: this.#values });
    this.#need(minBytes);
  }

  #text(length: number): string {
    const start = this.#take(length);
    const text = this.#bytes.toString("utf8", start, this.at);
    // It also stands for bytes that are not UTF-8. Looking for it costs less than a look at the bytes of each text.
    if (text.includes("\uFFFD") && !isUtf8(this.#bytes.subarray(start, this.at)))
      throw new NotMsgpack("A text in the message is not UTF-8.");
    return text;
  }

  #number(value: number): unknown {
    return Number.isFinite(value) ? value : this.#notJson(`the number ${value}`);
  }

  #integer(value: bigint): unknown {
    const number = Number(value);
    return Number.isSafeInteger(number)
      ? number
      : this.#notJson("an integer beyond 2^53 - 1 (send it as a text)");
  }

  #skip(length: number, what: string): NotJson {
    this.#take(length);
    return this.#notJson(what);
  }

  #notJson(what: string): NotJson {
    this.hasNotJson = true;
    return new NotJson(what);
  }

  #uint(size: number): number {
    const start = this.#take(size);
    let value = 0;
    for (let at = start; at < this.at; at++) value = value * 256 + (this.#bytes[at] ?? 0);
    return value;
  }

  /** Returns the place of the next `length` bytes, and goes on after them. */
  #take(length: number): number {
    this.#need(length);
    const start = this.at;
    this.at += length;
    return start;
  }

  #need(length: number): void {
    const missing = length - (this.#bytes.length - this.at);
    if (missing > 0)
      throw new NotMsgpack(
        `The MessagePack value ends early: at least ${missing} bytes are missing.`,
      );
  }
}

/** Assigning would set the prototype. */
function define(map: object, key: string, value: unknown): void {
  Object.defineProperty(map, key, { value, writable: true, enumerable: true, configurable: true });
}
