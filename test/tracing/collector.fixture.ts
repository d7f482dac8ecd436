/** A local collector of OpenTelemetry: takes traces over HTTP, as protobuf. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

export interface CollectedSpan {
  /** The `service.name` of the process. */
  service: string;
  name: string;
  trace: string;
  id: string;
  /** Empty: it begins its trace. */
  parent: string;
  isError: boolean;
  attributes: Record<string, string | number>;
  events: string[];
}

export interface Collector {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly url: string;
  readonly spans: CollectedSpan[];
  /** The number of requests that it was sent. */
  requests(): number;
  /** Its answer to the next requests. `hang`: it never answers. */
  mode: "take" | "refuse" | "hang";
  close(): Promise<void>;
}

export async function startCollector(): Promise<Collector> {
  let requests = 0;
  const server = createServer((req, res) => {
    requests += 1;
    void buffer(req).then((body) => {
      if (collector.mode === "hang") return;
      if (collector.mode === "take") collector.spans.push(...spansIn(body));
      res.writeHead(collector.mode === "take" ? 200 : 400).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const collector: Collector = {
    url: `http://127.0.0.1:${port}`,
    spans: [],
    requests: () => requests,
    mode: "take",
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return collector;
}

// The fields of opentelemetry/proto/trace/v1/trace.proto that the tests need, by their numbers.

function spansIn(request: Uint8Array): CollectedSpan[] {
  return messages(request, 1).flatMap((resourceSpans) => {
    const [resource = EMPTY] = messages(resourceSpans, 1);
    const service = String(attributesOf(resource, 1)["service.name"]);
    return messages(resourceSpans, 2)
      .flatMap((scopeSpans) => messages(scopeSpans, 2))
      .map((span) => spanOf(span, service));
  });
}

function spanOf(span: Uint8Array, service: string): CollectedSpan {
  const hex = (field: number) => Buffer.from(messages(span, field)[0] ?? EMPTY).toString("hex");
  const [status = EMPTY] = messages(span, 15);
  const ERROR = 2;
  return {
    service,
    name: textIn(span, 5),
    trace: hex(1),
    id: hex(2),
    parent: hex(4),
    isError: fieldsOf(status).some(({ field, value }) => field === 3 && value === ERROR),
    attributes: attributesOf(span, 9),
    events: messages(span, 11).map((event) => textIn(event, 2)),
  };
}

function attributesOf(message: Uint8Array, field: number): CollectedSpan["attributes"] {
  return Object.fromEntries(
    messages(message, field).map((pair) => {
      const [{ value } = { value: EMPTY }] = fieldsOf(messages(pair, 2)[0] ?? EMPTY);
      return [textIn(pair, 1), typeof value === "number" ? value : Buffer.from(value).toString()];
    }),
  );
}

const EMPTY = new Uint8Array();

function textIn(message: Uint8Array, field: number): string {
  return Buffer.from(messages(message, field)[0] ?? EMPTY).toString();
}

function messages(message: Uint8Array, wanted: number): Uint8Array[] {
  return fieldsOf(message).flatMap(({ field, value }) =>
    field === wanted && typeof value !== "number" ? [value] : [],
  );
}

interface Field {
  field: number;
  /** Bytes of a text, message or fixed number; or a varint. */
  value: number | Uint8Array;
}

/** The wire format of protobuf. */
function fieldsOf(message: Uint8Array): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message[at++] ?? 0;
      value += (byte % 128) * factor;
      if (byte < 128) return value;
    }
  };
  const bytes = (length: number) => message.subarray(at, (at += length));
  while (at < message.length) {
    const tag = varint();
    const type = tag % 8;
    const value =
      type === 0 ? varint() : type === 1 ? bytes(8) : type === 5 ? bytes(4) : bytes(varint());
    fields.push({ field: Math.floor(tag / 8), value });
  }
  return fields;
}
