import { createServer } from "node:http";
import express, { type ErrorRequestHandler } from "express";
import { jobwire, sessions } from "./jobs.ts";
import { COOKIE } from "./sessions.ts";

/** Stands in for a database with hashed passwords. */
const PASSWORDS = new Map([
  ["ann", "ann's password"],
  ["bob", "bob's password"],
]);

const app = express();
app.use(express.json());

app.post("/login", (req, res) => {
  const { user, password } = req.body as { user?: string; password?: string };
  if (user === undefined || password === undefined || PASSWORDS.get(user) !== password) {
    return void res.status(401).json({ error: "The name or the password is wrong." });
  }
  const session = sessions.start(user);
  res.cookie(COOKIE, session, { httpOnly: true, sameSite: "lax" }).json({ session });
});

app.get("/me", (req, res) => {
  const user = sessions.userOf(req.headers);
  if (user === undefined) return void res.status(401).json({ error: "Sign in first." });
  res.json({ user });
});

app.get("/broken", () => {
  throw new Error("This route is broken.");
});

const reportError: ErrorRequestHandler = (error: Error, _req, res, _next) => {
  res.status(500).json({ error: error.message });
};
app.use(reportError);

// Before the server listens, so that no request for Jobwire reaches the app.
const server = createServer(app);
await jobwire.attach(server, { basePath: "/jobs" });
const port = Number(process.env.PORT ?? 3000);
server.listen(port, "127.0.0.1", () => console.log(`Listening at http://localhost:${port}`));

process.once("SIGTERM", () => {
  server.close();
  void jobwire.close();
});
