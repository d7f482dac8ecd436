/** For tests: two gateways that share an empty Redis and take tokens. No worker runs their jobs. */
import { onTestFinished, vi } from "vitest";
import { type App, createApp } from "#server/app.ts";
import { type Config, loadConfig } from "#server/config.ts";
import type { AnyKind } from "#server/kinds/define.ts";
import { SECRET } from "#test/transports/signed-in.fixture.ts";
import type { TestRedis } from "./server.fixture.ts";

export interface Gateways {
  /** That of both. */
  config: Config;
  here: App;
  there: App;
}

export async function openGateways(
  redis: TestRedis,
  kinds: readonly AnyKind[] = [],
): Promise<Gateways> {
  await redis.client.flushall();
  const config = loadConfig({
    REDIS_URL: redis.url,
    PORT: "0",
    LOG_LEVEL: "silent",
    ROLE: "gateway",
    HANDOVER_MS: "0",
    AUTH_JWT_SECRET: SECRET,
  });
  const [here, there] = await Promise.all([
    createApp(config, { kinds }),
    createApp(config, { kinds }),
  ]);
  onTestFinished(async () => {
    await Promise.all([here.close(), there.close()]);
  });
  return { config, here, there };
}

/** Their looks at all credentials in use never come, so that hints alone tell of the end of one. */
export async function openGatewaysWithoutLooks(
  ...args: Parameters<typeof openGateways>
): Promise<Gateways> {
  vi.useFakeTimers({ toFake: ["setInterval"] });
  try {
    return await openGateways(...args);
  } finally {
    vi.useRealTimers();
  }
}
