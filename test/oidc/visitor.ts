/** For tests: a browser without scripts. It keeps cookies for each host, follows redirects, and sends what browsers send. */
import { request } from "node:http";
import type { IncomingHttpHeaders } from "node:http";

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** Of the last request. */
  url: string;
  text: string;
}

export interface Visitor {
  /** By the host, then by the name. Ports share cookies. */
  readonly cookies: Map<string, Map<string, string>>;
  /** Follows redirects up to the address that begins with `until`, which is not opened: the answer is the one before. */
  open(
    url: string,
    options?: { until?: string; form?: Record<string, string>; headers?: object },
  ): Promise<Answer>;
  /** Signs in at the provider with its form, from its address on. Resolves to the last answer. */
  logIn(address: string, user: string, options?: { until?: string }): Promise<Answer>;
}

export function createVisitor(): Visitor {
  const cookies = new Map<string, Map<string, string>>();
  const jarOf = ({ hostname }: URL) => {
    const jar = cookies.get(hostname) ?? new Map<string, string>();
    cookies.set(hostname, jar);
    return jar;
  };

  function send(
    url: URL,
    form: Record<string, string> | undefined,
    headers: object,
  ): Promise<Answer> {
    const jar = jarOf(url);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const body = form && new URLSearchParams(form).toString();
    return new Promise((resolve, reject) => {
      const sent = request(
        url,
        {
          // A server that was restarted knows no connection of before.
          agent: false,
          method: body === undefined ? "GET" : "POST",
          headers: {
            "user-agent": "Mozilla/5.0 (tests)",
            "sec-fetch-site": "cross-site",
            "sec-fetch-mode": "navigate",
            "sec-fetch-dest": "document",
            ...(cookie !== "" && { cookie }),
            ...(body !== undefined && { "content-type": "application/x-www-form-urlencoded" }),
            ...headers,
          },
        },
        (response) => {
          let text = "";
          response.setEncoding("utf8").on("data", (part: string) => (text += part));
          response.on("end", () => {
            for (const set of response.headers["set-cookie"] ?? []) keep(jar, set);
            const { statusCode: status = 0, headers } = response;
            resolve({ status, headers, url: url.href, text });
          });
        },
      );
      sent.on("error", reject).end(body);
    });
  }

  const visitor: Visitor = {
    cookies,
    async open(url, { until, form, headers = {} } = {}) {
      let answer = await send(new URL(url), form, headers);
      while (answer.headers.location !== undefined) {
        const next = new URL(answer.headers.location, answer.url);
        if (until !== undefined && next.href.startsWith(until)) return answer;
        answer = await send(next, undefined, headers);
      }
      return answer;
    },
    async logIn(address, user, { until } = {}) {
      const stop = until === undefined ? {} : { until };
      const shown = await visitor.open(address, stop);
      const [, action] = /<form[^>]* action="([^"]+)"/.exec(shown.text) ?? [];
      // The provider knows the person already.
      if (action === undefined) return shown;
      const form = { prompt: "login", login: user, password: "any" };
      return visitor.open(new URL(action, shown.url).href, { ...stop, form });
    },
  };
  return visitor;
}

function keep(jar: Map<string, string>, set: string): void {
  const [pair = ""] = set.split(";");
  const name = pair.slice(0, pair.indexOf("="));
  const value = pair.slice(pair.indexOf("=") + 1);
  const isGone = /; *max-age=0\b/i.test(set) || /; *expires=thu, 01 jan 1970/i.test(set);
  if (isGone || value === "") jar.delete(name);
  else jar.set(name, value);
}
