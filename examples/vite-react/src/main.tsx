import { JobwireProvider } from "@jobwire/client/react";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ColumnSums } from "./column-sums.tsx";
import { client } from "./client.ts";

const root = document.querySelector("#root");
if (root === null) throw new Error("The page has no element #root.");
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={new QueryClient()}>
      <JobwireProvider client={client}>
        <ColumnSums />
      </JobwireProvider>
    </QueryClientProvider>
  </StrictMode>,
);
