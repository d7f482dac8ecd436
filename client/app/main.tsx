/** Entry point: one client, one cache, and the theme before the first paint. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { createJobwireClient } from "#client/lib/client.ts";
import { JobwireProvider } from "#client/lib/react.tsx";
import "./app.css";
import { App, loadRest } from "./app.tsx";
import { startTheme } from "./theme.ts";

startTheme();

const client = createJobwireClient({ url: location.origin });
const cache = new QueryClient();
const root = document.getElementById("root");
if (root === null) throw new Error("The page has no element with the id root.");

createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={cache}>
      <JobwireProvider client={client}>
        <App />
      </JobwireProvider>
    </QueryClientProvider>
  </StrictMode>,
);

addEventListener("load", () => setTimeout(loadRest));
