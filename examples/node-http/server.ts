import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import type { Principal } from "jobwire";
import { WebSocketServer } from "ws";
import { contacts, jobwire } from "./jobs.ts";

/** There is no sign-in here, so all jobs are those of the one local user. */
const LOCAL: Principal = { userId: "local", tenantId: "local", scopes: ["*"] };

async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
  if (req.method === "GET" && req.url === "/contacts") {
    res.setHeader("Content-Type", "application/json");
    res.end(JSON.stringify([...contacts.values()]));
  } else if (req.method === "POST" && req.url === "/imports") {
    // A job that the program itself starts; any client can follow it.
    const { id } = await jobwire.kinds.csvImport.create(LOCAL, { csv: await text(req) });
    res.writeHead(202, { Location: `/jobwire/jobs/${id}` }).end();
  } else {
    res.writeHead(404).end("Not found\n");
  }
}

const server = createServer((req, res) => {
  answer(req, res).catch((error: Error) => res.writeHead(400).end(`${error.message}\n`));
});

// The program's own WebSocket, beside Jobwire's.
const chat = new WebSocketServer({ noServer: true });
server.on("upgrade", (req, socket, head) => {
  if (req.url !== "/chat") return socket.destroy();
  chat.handleUpgrade(req, socket, head, (connection) => {
    connection.on("message", (message, isBinary) => {
      for (const client of chat.clients) client.send(message, { binary: isBinary });
    });
  });
});

await jobwire.attach(server, { basePath: "/jobwire" });
const port = Number(process.env.PORT ?? 3000);
server.listen(port, "127.0.0.1", () => console.log(`Listening at http://localhost:${port}`));

process.once("SIGTERM", () => {
  server.close();
  for (const connection of chat.clients) connection.close(1001);
  void jobwire.close();
});
