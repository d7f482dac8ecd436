/** Opens a WebSocket, or says for people why it does not open. */
import type { IncomingMessage } from "node:http";
import { WebSocket } from "ws";
import { messageOf } from "#shared/errors.ts";
import type { Advice } from "#shared/finding.ts";
import { type Messages, messagesOf } from "./messages.ts";
import { beginningOf } from "./ask.ts";
import { refusedHost } from "./refusal.ts";
import { addressOf, type Target, tlsOptionsOf } from "./target.ts";
import { at, parsed } from "./trpc-answer.ts";

export interface Opened {
  socket: WebSocket;
  messages: Messages;
}

export interface Refused {
  /** `answered 403: …` */
  why: string;
  advice: Advice;
  /** The server refused the origin. */
  isOrigin?: boolean;
}

const MAX_MESSAGE_BYTES = 1024 * 1024;

/** The caller terminates the socket. */
export function openWebSocket(
  target: Target,
  path: string,
  { signal, headers }: { signal: AbortSignal; headers?: Readonly<Record<string, string>> },
): Promise<Opened | Refused> {
  const address = addressOf(target, path);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return new Promise((resolve) => {
    const socket = new WebSocket(address, {
      ...tlsOptionsOf(target),
      headers: { "user-agent": "jobwire-doctor", ...headers },
      perMessageDeflate: false,
      followRedirects: false,
      maxPayload: MAX_MESSAGE_BYTES,
    });
    // The first message may come together with the answer to the upgrade.
    const messages = messagesOf(socket);
    // Also after it has opened: without a listener, an error would end the process.
    socket.on("error", (error) => resolve(broken(messageOf(error))));
    signal.addEventListener("abort", () => {
      socket.terminate();
      resolve(broken("nothing answered the upgrade"));
    });
    socket.once("open", () => resolve({ socket, messages }));
    socket.once("unexpected-response", (_request, response: IncomingMessage) => {
      void beginningOf(response).then((body) => {
        socket.terminate();
        resolve(refusalOf(response, body));
      });
    });
  });
}

const FAILED = "docs/troubleshooting.md#websocket-connection-failed";

function broken(why: string): Refused {
  return {
    why: `the connection broke (${why})`,
    advice: ["Something on the way cuts upgrades: a proxy, a firewall or an anti-virus.", FAILED],
  };
}

const BY_STATUS: Readonly<Record<number, Advice>> = {
  401: ["Something before Jobwire asks for a sign-in.", FAILED],
  403: ["A proxy or firewall refuses WebSockets.", FAILED],
  404: ["The path leads to another program, or the proxy has no rule for it.", FAILED],
  426: [
    "The proxy speaks HTTP/1.0 to the server, or does not pass the upgrade on. nginx: proxy_http_version 1.1.",
    FAILED,
  ],
  429: ["Wait, or raise the limit that the answer names.", "docs/troubleshooting.md#429"],
  502: ["The proxy cannot reach the server, or the server ended the upgrade.", FAILED],
  503: ["The server stops or is not ready, or the proxy has none that is.", FAILED],
  504: ["The proxy waits for an answer to the upgrade as if it were a request.", FAILED],
};

/** Without `Upgrade`, an upgrade arrives as a request that no transport serves. */
const STRIPPED: Advice = [
  'The proxy removes the header Upgrade. nginx: proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";',
  FAILED,
];

function refusalOf({ statusCode = 0, headers }: IncomingMessage, body: string): Refused {
  const why = `answered ${statusCode}: ${textOf(body)}`;
  if (statusCode >= 300 && statusCode < 400) {
    const advice = ["Use the address that it leads to: clients do not follow it.", FAILED] as const;
    return { why: `is redirected to ${headers.location ?? "nowhere"}`, advice };
  }
  if (statusCode === 403 && body.startsWith("The origin ")) {
    return { why, advice: ["", "docs/troubleshooting.md#403-and-an-origin"], isOrigin: true };
  }
  if (refusedHost({ status: statusCode, body }) !== undefined) {
    return { why, advice: ["", "docs/troubleshooting.md#403-and-a-host"] };
  }
  const isOurs = isAnswerOfJobwire(parsed(body));
  const advice = isOurs && statusCode !== 429 && statusCode !== 503 ? STRIPPED : undefined;
  // A page in place of an answer: of the proxy itself, or of another program.
  const isPage = statusCode >= 200 && statusCode < 300;
  return { why, advice: advice ?? BY_STATUS[isPage ? 404 : statusCode] ?? STRIPPED };
}

/** tRPC's errors, and those of Engine.IO. */
function isAnswerOfJobwire(json: unknown): boolean {
  return at(json, "error", "json") !== undefined || typeof at(json, "code") === "number";
}

/** Of pages of a proxy, the title. */
function textOf(body: string): string {
  const title = /<title>([^<]*)<\/title>/i.exec(body)?.[1];
  const text = (title ?? body).trim();
  return text === "" ? "nothing" : text.slice(0, 200);
}
