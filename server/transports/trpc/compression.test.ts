/** Compression on a tRPC WebSocket: clients with and without it receive the same. */
import { expect, test } from "vitest";
import { DONE, eventually } from "#test/jobs/jobs.fixture.ts";
import { createInflater } from "#test/transports/deflate-client.ts";
import { clientFrame, openRawWebSocket } from "#test/transports/raw-websocket.ts";
import { openTestServer } from "#test/transports/trpc.fixture.ts";

const TEXT = 0x81;
const CLIENTS = [
  { offer: undefined, terms: {} },
  { offer: "permessage-deflate; client_max_window_bits", terms: {} },
  { offer: "permessage-deflate; server_no_context_takeover", terms: { takeover: false } },
  { offer: "permessage-deflate; server_max_window_bits=10", terms: { windowBits: 10 } },
];
const STEPS = 60;

interface Answer {
  id: number;
  result: { type: string };
}

/** Sends messages and shows each answer with whether it was compressed. */
async function open(url: string, { offer, terms }: (typeof CLIENTS)[number]) {
  const raw = await openRawWebSocket(url, {
    path: "/trpc",
    ...(offer !== undefined && { extensions: offer }),
  });
  const inflate = createInflater(terms);
  const answers: { text: string; compressed: boolean }[] = [];
  let read = 0;
  return {
    send: (message: object) => raw.send(clientFrame(TEXT, Buffer.from(JSON.stringify(message)))),
    answers() {
      for (; read < raw.frames.length; read++) {
        const frame = raw.frames[read];
        if (frame === undefined) break;
        answers.push({ text: inflate(frame), compressed: frame.compressed });
      }
      return answers.map(({ text, compressed }) => {
        const { id, result } = JSON.parse(text) as Answer;
        return { id, type: result.type, text, compressed };
      });
    },
  };
}

/** Calls have ids from 100 on. */
const isEntry = ({ id, type }: { id: number; type: string }) => type === "data" && id < 100;

const subscribe = (id: number, path: string, jobId: string) => ({
  id,
  method: "subscription",
  params: { path, input: { json: { jobId } } },
});

test("[Z1] [Z2] [Z3] clients receive the same on whatever terms, and only entries of streams are compressed", async () => {
  const { url, fixture, watches } = await openTestServer();
  fixture.run = async ({ progress, draft }) => {
    for (let n = 0; n < STEPS; n += 3) {
      // Several events of a tick, of two jobs at the same time, with drafts between them.
      await Promise.all([0, 1, 2].map((more) => progress(n + more, `Step ${n + more}`)));
      await draft(`Sentence ${n}, which is written now. `);
    }
    return DONE;
  };
  const [first, second] = [await fixture.create(), await fixture.create()];
  const clients = await Promise.all(CLIENTS.map((client) => open(url, client)));
  for (const { send } of clients) {
    send(subscribe(1, "job.onUpdate", first));
    send(subscribe(23, "job.onUpdate", second));
    send(subscribe(4, "job.onOutput", second));
  }
  await eventually(() => expect(watches()).toBe(3 * clients.length));
  // Answers to calls come between the events.
  for (let n = 0; n < 5; n++) {
    const params = { path: "job.get", input: { json: { jobId: first } } };
    for (const { send } of clients) send({ id: 100 + n, method: "query", params });
  }
  fixture.startRunner();
  await eventually(() => {
    for (const { answers } of clients) {
      const stopped = answers().filter(({ type }) => type === "stopped");
      expect(stopped).toHaveLength(3);
      expect(answers().filter(({ id }) => id >= 100)).toHaveLength(5);
    }
  });
  const [plain, ...compressed] = clients.map(({ answers }) => answers());
  const textsOf = (answers: typeof plain, of: number) =>
    answers?.filter(({ id }) => id === of).map(({ text }) => text);
  for (const id of [1, 23, 4]) {
    // Pieces of a draft are sent together.
    expect(textsOf(plain, id)?.length).toBeGreaterThan(id === 4 ? 1 : STEPS);
    for (const answers of compressed) expect(textsOf(answers, id)).toEqual(textsOf(plain, id));
  }
  expect(plain?.some((each) => each.compressed)).toBe(false);
  for (const answers of compressed) {
    expect(answers.filter((each) => !isEntry(each)).some((each) => each.compressed)).toBe(false);
    expect(answers.filter(isEntry).filter((each) => !each.compressed)).toEqual([]);
  }
});

test("[Z1] a client that resumes in the middle of a long log decodes all of it", async () => {
  const { url, fixture } = await openTestServer();
  fixture.run = async ({ progress }) => {
    // Too much for one chunk, and for the window of deflate.
    for (let n = 0; n < 300; n += 50) {
      await Promise.all(
        Array.from({ length: 50 }, (_, more) =>
          progress(n / 4, `${n + more}${" words".repeat(200)}`),
        ),
      );
    }
    return DONE;
  };
  fixture.startRunner();
  const jobId = await fixture.create();
  await fixture.reaches(jobId, "DELIVERED");
  const clients = await Promise.all(CLIENTS.map((client) => open(url, client)));
  for (const { send } of clients) {
    for (const [id, lastEventId] of [0, 100, 17].entries()) {
      const input = { json: { jobId, lastEventId: String(lastEventId) } };
      send({ id, method: "subscription", params: { path: "job.onUpdate", input } });
    }
  }
  const seen = await Promise.all(
    clients.map(async ({ answers }) => {
      await eventually(() =>
        expect(answers().filter(({ type }) => type === "stopped")).toHaveLength(3),
      );
      return [0, 1, 2].map((of) =>
        answers()
          .filter(({ id }) => id === of)
          .map(({ text }) => text),
      );
    }),
  );
  expect(seen[0]?.[0]?.length).toBeGreaterThan(300);
  for (const each of seen) expect(each).toEqual(seen[0]);
});
