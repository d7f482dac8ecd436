import type { Server } from "node:http";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";
import { openJobwire } from "./jobs.ts";

/** Jobwire below `/jobwire` of the dev server, beside Vite's own WebSocket. */
function jobwire(): Plugin {
  let opened: ReturnType<typeof openJobwire> | undefined;
  return {
    name: "jobwire",
    apply: "serve",
    configureServer({ httpServer, config }) {
      // When Vite starts anew, the server before has closed by then, and with it its Jobwire.
      httpServer?.once("listening", () => {
        opened = openJobwire();
        opened
          .attach(httpServer as Server, { basePath: "/jobwire" })
          .catch((error: Error) => config.logger.error(`Jobwire: ${error.message}`));
      });
    },
    async closeBundle() {
      await opened?.close();
    },
  };
}

export default defineConfig({ plugins: [react(), jobwire()] });
