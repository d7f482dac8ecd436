import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { client } from "./client.ts";
import { Greeting } from "./greeting.tsx";
import { followAsOlderClient } from "./older-client.ts";

function Thumbnails() {
  const [steps, setSteps] = useState<string[]>([]);
  const [files, setFiles] = useState<string[]>([]);
  const [older, setOlder] = useState<string>();
  const [price, setPrice] = useState<number>();

  async function start() {
    const job = await client.kinds.thumbnails.create({
      url: "https://example.com/cat.png",
      widths: [320, 640],
    });
    followAsOlderClient(job.id, setOlder);
    setPrice((await client.trpc.shop.prices.of.query({ width: 640 })).euros);
    for await (const { details } of job.events({ lastEventId: "0" })) {
      if (details) setSteps((before) => [...before, `${details.done} of ${details.of}`]);
    }
    const output = await job.result();
    setFiles(output.files);
  }

  return (
    <main>
      <button type="button" onClick={() => void start()}>
        Make thumbnails
      </button>
      <p id="steps">{steps.join(", ")}</p>
      <p id="price">{price}</p>
      <p id="older">{older}</p>
      <ul>
        {files.map((file) => (
          <li key={file}>{file}</li>
        ))}
      </ul>
      <Greeting />
    </main>
  );
}

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <Thumbnails />
    </StrictMode>,
  );
}
