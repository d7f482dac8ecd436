import { createServer } from "node:http";
import { Redis } from "ioredis";
import { Server } from "socket.io";
import { expect, inject, onTestFinished, test, vi } from "vitest";
import { startRedis } from "#test/redis/server.fixture.ts";
import { openBroadcastAdapter } from "./broadcast-adapter.ts";
import { createEvict } from "./evict.ts";

test("[L5] a message to other gateways that Redis never received causes no unhandled rejection", async () => {
  const redis = await startRedis(inject("redisServer"));
  onTestFinished(() => redis.close());
  const rejections: unknown[] = [];
  const note = (reason: unknown) => void rejections.push(reason);
  process.on("unhandledRejection", note);
  onTestFinished(() => void process.off("unhandledRejection", note));
  const connect = () => {
    const client = new Redis(redis.url, { maxRetriesPerRequest: null });
    client.on("error", () => {});
    clients.push(client);
    return client;
  };
  const clients: Redis[] = [];
  const broadcast = openBroadcastAdapter({ connect, prefix: "jobwire", name: "gateway-1" });
  const io = new Server(createServer(), { adapter: broadcast.adapter });
  await vi.waitFor(() => expect(clients.map(({ status }) => status)).toEqual(["ready", "ready"]));
  redis.pause();
  const evictions = createEvict({ joining: new Map(), isShared: true });
  evictions.add(io);
  evictions.evict("a socket of another gateway");
  broadcast.close();
  await redis.kill();
  await vi.waitFor(() => expect(clients.map(({ status }) => status)).toEqual(["end", "end"]));
  await new Promise(setImmediate);
  expect(rejections).toEqual([]);
});
