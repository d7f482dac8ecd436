/**
 * Copies a value as JSON, reading each part of it once: getters and proxies can give another value each time. Every own
 * key is kept, also `__proto__`.
 */
import { isDate } from "node:util/types";
import { cutText, ILL_FORMED, isWellFormed } from "#shared/cut-text.ts";
import { MAX_ISSUE_CHARS, MAX_JSON_DEPTH } from "#shared/limits.ts";
import { kindMessageOf } from "#shared/public-message.ts";

export type Path = readonly (string | number)[];

/** For messages, where a longer path is cut. */
export function pathText(path: Path): string {
  return cutText(path.join("."), MAX_ISSUE_CHARS);
}

export type Reason =
  | { fault: "json"; why: string }
  | { fault: "text"; what: string }
  | { fault: "deep" }
  /** The JSON has more bytes than the limit. */
  | { fault: "large"; bytes: number };

/** The value is not JSON, or not of that size, because of what is at `path`. */
export class NotJson extends Error {
  override readonly name = "NotJson";
  readonly reason: Reason;
  readonly path: Path;

  constructor(reason: Reason, path: Path) {
    super(reason.fault);
    this.reason = reason;
    this.path = path;
  }
}

/**
 * - `measured`: values that are no JSON are taken for `null`, or for the properties that they have.
 * - `output`: they are refused.
 * - `input`: so are texts and keys with lone surrogates, which JSON can write and UTF-8 cannot.
 */
export type CopyMode = "measured" | "output" | "input";

/** A heavier value is not serialised to learn its size: it can contain one text very many times. */
const MAX_WEIGHT = 64 * 1024 * 1024;
const MAX_NAME_CHARS = 60;

/**
 * Throws `NotJson`, and nothing else. A `toJSON` is called. A property that is `undefined` is left out, and elsewhere it is
 * `null`.
 */
export function copyAsJson(value: unknown, mode: CopyMode, maxBytes: number): unknown {
  return new Copier(mode, maxBytes).copy(value);
}

class Copier {
  readonly #mode: CopyMode;
  readonly #maxBytes: number;
  /** Of the value that is copied now. */
  readonly #path: (string | number)[] = [];
  #values = 0;
  /** Of its texts. */
  #weight = 0;

  constructor(mode: CopyMode, maxBytes: number) {
    this.#mode = mode;
    this.#maxBytes = maxBytes;
  }

  copy(value: unknown): unknown {
    try {
      return this.#item(value);
    } catch (error) {
      // Foreign code threw: a getter, a `toJSON` or the trap of a proxy.
      throw error instanceof NotJson ? error : this.#notJson(kindMessageOf(error));
    }
  }

  #item(value: unknown): unknown {
    return this.#value(value) ?? null;
  }

  /** `undefined` where there is nothing to write. */
  #value(given: unknown): unknown {
    const value = this.#ofToJson(given);
    if (value === undefined) return undefined;
    this.#count();
    if (typeof value === "string") {
      this.#text(value, "");
      return value;
    }
    if (value === null || typeof value === "boolean") return value;
    if (typeof value === "object") return this.#container(value);
    if (typeof value !== "number") return this.#other(`it is a ${typeof value}`);
    // JSON has no -0.
    return Number.isFinite(value) ? value + 0 : this.#other(`it is ${value}`);
  }

  #ofToJson(value: unknown): unknown {
    if (typeof value !== "object" || value === null) return value;
    const { toJSON } = value as { toJSON?: unknown };
    if (typeof toJSON !== "function") return value;
    // Its `toJSON` would give `null`.
    if (isDate(value) && Number.isNaN(value.getTime())) return this.#other("it is an invalid Date");
    return toJSON.call(value, String(this.#path.at(-1) ?? "")) as unknown;
  }

  #container(value: object): unknown {
    if (this.#path.length >= MAX_JSON_DEPTH) throw new NotJson({ fault: "deep" }, [...this.#path]);
    if (Array.isArray(value)) return this.#array(value);
    if (this.#mode !== "measured" && !isPlain(value)) {
      throw this.#notJson(`it is an object of the class ${classOf(value)}, and no plain object`);
    }
    const copy: Record<string, unknown> = {};
    for (const key of Object.keys(value)) {
      this.#path.push(key);
      const part = this.#value((value as Record<string, unknown>)[key]);
      this.#path.pop();
      if (part === undefined) continue;
      this.#text(key, "has a key that ");
      if (key === "__proto__") define(copy, key, part);
      else copy[key] = part;
    }
    return copy;
  }

  #array(value: readonly unknown[]): unknown[] {
    const { length } = value;
    // A list can be longer than its items need memory.
    if (length > this.#maxBytes) throw this.#tooLarge(this.#maxBytes);
    const copy: unknown[] = [];
    for (let index = 0; index < length; index += 1) {
      this.#path.push(index);
      copy.push(this.#item(value[index]));
      this.#path.pop();
    }
    return copy;
  }

  /** One value more, which takes two bytes at least: its own and those that part it from others. */
  #count(): void {
    this.#values += 1;
    if (2 * this.#values - 1 > this.#maxBytes) throw this.#tooLarge(this.#maxBytes);
  }

  #text(text: string, name: string): void {
    // No more than the bytes that it takes.
    this.#weight += text.length;
    if (this.#weight > MAX_WEIGHT) throw this.#tooLarge(MAX_WEIGHT);
    if (this.#mode === "input" && !isWellFormed(text)) {
      throw new NotJson({ fault: "text", what: `${name}${ILL_FORMED}` }, [...this.#path]);
    }
  }

  #other(why: string): null {
    if (this.#mode === "measured") return null;
    throw this.#notJson(why);
  }

  #notJson(why: string): NotJson {
    return new NotJson({ fault: "json", why }, [...this.#path]);
  }

  #tooLarge(bytes: number): NotJson {
    return new NotJson({ fault: "large", bytes }, []);
  }
}

/** Of any realm. `Math`, `JSON` and modules have the prototype of a plain object, and a tag of their own. */
function isPlain(value: object): boolean {
  if (tagOf(value) !== "Object") return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice("[object ".length, -1);
}

function classOf(value: object): string {
  const { constructor } = value;
  const name = typeof constructor === "function" ? constructor.name : "Object";
  return cutText(name === "Object" ? tagOf(value) : name, MAX_NAME_CHARS);
}

/** An assignment would set the prototype. */
function define(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, {
    value,
    enumerable: true,
    writable: true,
    configurable: true,
  });
}
