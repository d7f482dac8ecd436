/** nginx with nchan: a broadcast in C. Events are published over HTTP on one kept-alive connection. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent, type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NCHAN_MODULE } from "#bench/installed.ts";
import { freePort } from "#test/free-port.ts";
import { cpuOf, memoryOf, untilListens } from "./other-process.ts";
import { servePeer } from "./peer.ts";
import { createSampleEvents, trpcText } from "./sample-event.ts";
import { killOnExit } from "#test/kill-on-exit.ts";

servePeer(async () => {
  const dir = await mkdtemp(join(tmpdir(), "jobwire-bench-"));
  const port = await freePort();
  await writeFile(join(dir, "nginx.conf"), configOf(dir, port));
  // Without a master process, a single process does all the work.
  const nginx = spawn("nginx", ["-p", dir, "-c", join(dir, "nginx.conf"), "-e", "stderr"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  killOnExit(nginx);
  await untilListens(port);
  const pid = nginx.pid ?? 0;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const { next } = createSampleEvents();

  async function publish(text: string): Promise<void> {
    const headers = { "content-length": Buffer.byteLength(text) };
    const req = request({ host: "127.0.0.1", port, path: "/pub", method: "POST", agent, headers });
    req.end(text);
    const [res] = (await once(req, "response")) as [IncomingMessage];
    res.resume();
    await once(res, "end");
    if ((res.statusCode ?? 500) >= 300) throw new Error(`nchan answered ${res.statusCode}.`);
  }

  return {
    opened: { port, watches: { ws: { path: "/sub", says: [], greeting: 0 } } },
    async emit(messages) {
      await Promise.all(messages.map((message) => publish(trpcText(next(message)))));
    },
    cpu: () => cpuOf(pid),
    memory: () => memoryOf(pid),
    async close() {
      const gone = once(nginx, "close");
      nginx.kill("SIGKILL");
      await gone;
      await rm(dir, { recursive: true, force: true });
    },
  };
});

function configOf(dir: string, port: number): string {
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return `
    load_module ${NCHAN_MODULE};
    daemon off;
    master_process off;
    pid ${dir}/nginx.pid;
    worker_rlimit_nofile 20000;
    events { worker_connections 15000; }
    http {
      access_log off;
      ${temp.map((name) => `${name}_temp_path ${dir}/${name};`).join("\n      ")}
      keepalive_requests 1000000;
      server {
        listen 127.0.0.1:${port};
        location = /pub { nchan_publisher http; nchan_channel_id job; }
        location = /sub {
          nchan_subscriber websocket;
          nchan_channel_id job;
          nchan_subscriber_first_message newest;
        }
      }
    }
  `;
}
