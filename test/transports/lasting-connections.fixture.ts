/** For tests of credentials that end: connections of stock clients, and the streams of browsers, that notice their end. */
import { once } from "node:events";
import { io, type Socket } from "socket.io-client";
import { onTestFinished } from "vitest";
import { WebSocket } from "ws";

/** As a program sends a credential, or a browser its cookie. */
export type Credential = { token: string } | { cookie: string };

/** A subscription of tRPC. */
interface Watched {
  path: string;
  input?: object;
}
const FEED: Watched = { path: "feed.onUpdate" };

/** Says whether the server has ended the connection. */
type IsClosed = () => boolean;

function headersOf(url: string, by: Credential): Record<string, string> {
  return "token" in by
    ? { authorization: `Bearer ${by.token}` }
    : { cookie: by.cookie, origin: url };
}

export async function openWebSocket(
  url: string,
  by: Credential,
  { path, input }: Watched = FEED,
): Promise<IsClosed> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/trpc`, {
    headers: headersOf(url, by),
  });
  onTestFinished(() => socket.terminate());
  await once(socket, "open");
  const params = { path, ...(input && { input: { json: input } }) };
  const request = { id: 1, method: "subscription", params };
  socket.send(JSON.stringify(request));
  const [answer] = (await once(socket, "message")) as [Buffer];
  if (answer.toString().includes('"error"')) throw new Error(answer.toString());
  let isClosed = false;
  socket.on("close", () => (isClosed = true));
  return () => isClosed;
}

export async function openEvents(
  url: string,
  by: Credential,
  { path, input }: Watched = FEED,
): Promise<IsClosed> {
  const leave = new AbortController();
  onTestFinished(() => leave.abort());
  const query = input && `?input=${encodeURIComponent(JSON.stringify({ json: input }))}`;
  const answer = await fetch(`${url}/trpc/${path}${query ?? ""}`, {
    headers: headersOf(url, by),
    signal: leave.signal,
  });
  if (answer.status !== 200) throw new Error(await answer.text());
  let isClosed = false;
  const reading = async () => {
    try {
      await answer.text();
    } catch {
      // The server broke it off.
    }
    isClosed = true;
  };
  void reading();
  return () => isClosed;
}

export async function openSocketio(
  url: string,
  by: Credential,
  transport: "websocket" | "polling" = "websocket",
): Promise<IsClosed> {
  const socket: Socket = io(url, {
    forceNew: true,
    reconnection: false,
    transports: [transport],
    ...("token" in by ? { auth: { token: by.token } } : { extraHeaders: headersOf(url, by) }),
  });
  onTestFinished(() => void socket.disconnect());
  await new Promise<void>((resolve, reject) => {
    socket.once("connection", () => resolve());
    socket.once("connect_error", reject);
  });
  let isClosed = false;
  socket.on("disconnect", () => (isClosed = true));
  return () => isClosed;
}

/** One of each transport. */
export async function openAll(
  url: string,
  by: Credential,
  watched?: Watched,
): Promise<() => boolean[]> {
  const all = await Promise.all([
    openWebSocket(url, by, watched),
    openEvents(url, by, watched),
    openSocketio(url, by),
    openSocketio(url, by, "polling"),
  ]);
  return () => all.map((isClosed) => isClosed());
}

export const ALL_OPEN = [false, false, false, false];
export const ALL_CLOSED = [true, true, true, true];
