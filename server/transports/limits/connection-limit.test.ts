import { once } from "node:events";
import { expect, test } from "vitest";
import { limitConnections } from "./connection-limit.ts";
import { openRawServer } from "#test/transports/raw-server.fixture.ts";

test("[H5] a connection beyond the limit is closed, and the others are still served", async () => {
  const { server, connect } = await openRawServer({}, (_req, res) => res.end("served"));
  let time = 0;
  const lines: unknown[] = [];
  const log = { warn: (fields: unknown, text: unknown) => void lines.push([fields, text]) };
  limitConnections(server, 2, log as Parameters<typeof limitConnections>[2], () => time);

  const open = [connect(), connect()];
  await Promise.all(open.map((socket) => once(socket, "connect")));
  async function oneMore(): Promise<void> {
    await once(connect(), "close");
  }
  await oneMore();
  expect(lines).toEqual([[{ dropped: 1, max: 2 }, expect.stringContaining("MAX_CONNECTIONS")]]);

  await oneMore();
  await oneMore();
  time = 9999;
  await oneMore();
  expect(lines).toHaveLength(1);
  time = 10_000;
  await oneMore();
  expect(lines[1]).toMatchObject([{ dropped: 4, max: 2 }, expect.anything()]);

  open[0]?.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const [answer] = (await once(open[0] as (typeof open)[0], "data")) as [Buffer];
  expect(String(answer)).toMatch(/served$/);
  open[1]?.destroy();
  await expect
    .poll(
      () => new Promise((resolve) => server.getConnections((_error, count) => resolve(count))),
      {
        timeout: 120_000,
      },
    )
    .toBe(1);
  const again = connect();
  again.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  expect(String((await once(again, "data"))[0])).toMatch(/served$/);
});
