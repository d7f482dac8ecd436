/** Answers of plain HTTP. */
import type { ServerResponse } from "node:http";

/** Returns metrics in Prometheus' text format. */
export type Expose = () => Promise<{ contentType: string; text: string }>;

export function json(res: ServerResponse, status: number, body: unknown): void {
  res
    .writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" })
    .end(JSON.stringify(body));
}

export function text(res: ServerResponse, status: number, body: string): void {
  res.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" }).end(`${body}\n`);
}

export async function sendMetrics(res: ServerResponse, expose: Expose): Promise<void> {
  const { contentType, text: metrics } = await expose();
  res.writeHead(200, { "Content-Type": contentType, "Cache-Control": "no-store" }).end(metrics);
}
