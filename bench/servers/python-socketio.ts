/** python-socketio behind uvicorn, the stack of the older system. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { pythonWithServer } from "#bench/installed.ts";
import { LEGACY_REQUEST, legacyOfJob } from "#shared/legacy.ts";
import { freePort } from "#test/free-port.ts";
import { cpuOf, memoryOf, untilListens } from "./other-process.ts";
import { servePeer } from "./peer.ts";
import { createSampleEvents } from "./sample-event.ts";
import { killOnExit } from "#test/kill-on-exit.ts";

const SERVER = fileURLToPath(new URL("python_socketio.py", import.meta.url));

servePeer(async () => {
  const python = pythonWithServer();
  if (python === undefined) throw new Error("No Python here has socketio and uvicorn.");
  const { jobId, next } = createSampleEvents();
  const port = await freePort();
  const child = spawn(python, [SERVER, String(port), jobId], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  killOnExit(child);
  const lines = createInterface({ input: child.stdout });
  await untilListens(port);
  const pid = child.pid ?? 0;
  return {
    opened: {
      port,
      watches: {
        socketio: {
          path: "/socket.io/?EIO=4&transport=websocket",
          says: [
            { after: 1, text: "40" },
            {
              after: 2,
              text: `42${JSON.stringify([LEGACY_REQUEST.subscribeJob, { job_id: jobId }])}`,
            },
          ],
          greeting: 3,
        },
      },
    },
    async emit(messages) {
      const payloads = messages.flatMap((message) =>
        legacyOfJob(next(message)).map(({ payload }) => payload),
      );
      const emitted = once(lines, "line");
      child.stdin.write(`${JSON.stringify(payloads)}\n`);
      await emitted;
    },
    cpu: () => cpuOf(pid),
    memory: () => memoryOf(pid),
    async close() {
      const gone = once(child, "close");
      child.kill("SIGKILL");
      await gone;
    },
  };
});
