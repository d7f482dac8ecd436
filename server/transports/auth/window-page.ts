/** The pages that this transport shows in a window of the browser: the end of a sign-in there, or why it failed. */
import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";
import { SIGN_IN_CHANNEL } from "#shared/sign-in.ts";

export interface WindowPage {
  status: number;
  title: string;
  text: string;
  /** The first one is the one to take. */
  links?: readonly { text: string; href: string }[];
  /** Tells the other windows that the person has signed in, and closes this one. */
  isDone?: boolean;
}

/** Colours and shapes as in `client/app/app.css`. */
const STYLE = `
:root{color-scheme:light dark;--page:#f7f7f9;--card:#fff;--line:#e1e1e8;--ink:#16161d;--muted:#5d5d6c;--accent:#4338ca;--accent-ink:#fff}
@media(prefers-color-scheme:dark){:root{--page:#101014;--card:#18181e;--line:#2d2d38;--ink:#ededf2;--muted:#a2a2b3;--accent:#a5a0ff;--accent-ink:#14121f}}
*{box-sizing:border-box}
body{margin:0;min-height:100dvh;display:flex;align-items:center;justify-content:center;padding:2.5rem 1rem;background:var(--page);color:var(--ink);font:16px/1.5 ui-sans-serif,system-ui,sans-serif}
main{width:100%;max-width:28rem;padding:2rem;border:1px solid var(--line);border-radius:1rem;background:var(--card);overflow-wrap:anywhere}
h1{margin:0 0 .5rem;font-size:1.25rem;line-height:1.4;font-weight:600}
p{margin:0;color:var(--muted)}
nav{display:flex;flex-wrap:wrap;gap:.5rem;margin-top:1.5rem}
a{padding:.5rem 1.25rem;border:1px solid var(--line);border-radius:.5rem;color:var(--ink);font-size:.875rem;font-weight:500;text-decoration:none}
a:first-child{border-color:var(--accent);background:var(--accent);color:var(--accent-ink)}
a:focus-visible{outline:2px solid var(--accent);outline-offset:2px}`;

const DONE = `new BroadcastChannel(${JSON.stringify(SIGN_IN_CHANNEL)}).postMessage("signed in");close()`;

const hashOf = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** Without an opener policy of its own: a window that another policy separated from its opener could not close itself. */
const HEADERS = {
  "Content-Type": "text/html; charset=utf-8",
  "Cache-Control": "no-store",
  "Content-Security-Policy": [
    "default-src 'none'",
    `style-src ${hashOf(STYLE)}`,
    `script-src ${hashOf(DONE)}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "X-Content-Type-Options": "nosniff",
  // The address has the provider's code.
  "Referrer-Policy": "no-referrer",
};

export function showPage(res: ServerResponse, page: WindowPage): void {
  if (res.headersSent) return;
  const { status, title, text, links = [], isDone = false } = page;
  const items = links.map(({ text, href }) => `<a href="${escape(href)}">${escape(text)}</a>`);
  const nav = items.length === 0 ? "" : `<nav>${items.join("")}</nav>`;
  res
    .writeHead(status, HEADERS)
    .end(
      `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
        `<title>${escape(title)} · Jobwire</title><style>${STYLE}</style></head>` +
        `<body><main><h1>${escape(title)}</h1><p>${escape(text)}</p>${nav}</main>` +
        `${isDone ? `<script>${DONE}</script>` : ""}</body></html>`,
    );
}

/** Sends the browser on. */
export function redirect(res: ServerResponse, address: string): void {
  if (res.headersSent) return;
  const { "Cache-Control": cache, "Referrer-Policy": referrer } = HEADERS;
  res
    .writeHead(302, { Location: address, "Cache-Control": cache, "Referrer-Policy": referrer })
    .end();
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
