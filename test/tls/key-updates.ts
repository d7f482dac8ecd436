/** For tests: a TLS client that asks for new keys again and again, as no library does, and reads no answer. */
import { createCipheriv, createHmac } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { connect as connectSecurely } from "node:tls";
import { onTestFinished } from "vitest";

/** RFC 8446 (7.1), for SHA-256 and up to 32 bytes. */
function expandLabel(secret: Buffer, label: string, length: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Buffer.from([0, length, name.length]), name, Buffer.from([0, 1])]);
  return createHmac("sha256", secret).update(info).digest().subarray(0, length);
}

/** An encrypted KeyUpdate message that asks for one in return. `record`: its number under its key, below 256. */
function keyUpdate(secret: Buffer, record: number): Buffer {
  const message = Buffer.from([24, 0, 0, 1, 1, 22]);
  const head = Buffer.from([23, 3, 3, 0, message.length + 16]);
  const [key, iv] = [expandLabel(secret, "key", 16), expandLabel(secret, "iv", 12)];
  iv[11] = (iv[11] ?? 0) ^ record;
  const cipher = createCipheriv("aes-128-gcm", key, iv).setAAD(head);
  const body = Buffer.concat([cipher.update(message), cipher.final()]);
  return Buffer.concat([head, body, cipher.getAuthTag()]);
}

/**
 * Sends `request` to the server of this port, reads nothing of the answer, and asks for new keys until the server closes
 * the connection. Resolves then.
 */
export async function floodWithKeyUpdates(port: number, ca: string, request: string) {
  // A proxy, so that records can be sent past the client's own TLS.
  const nears: Socket[] = [];
  const fars: Socket[] = [];
  const proxy = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    nears.push(near);
    fars.push(far);
    for (const end of [near, far]) end.on("error", () => {});
    near.on("data", (bytes: Buffer) => far.write(bytes));
    far.on("data", (bytes: Buffer) => near.write(bytes));
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  let secret: Buffer | undefined;
  const client = connectSecurely({
    port: (proxy.address() as AddressInfo).port,
    host: "127.0.0.1",
    ca,
    ciphers: "TLS_AES_128_GCM_SHA256",
  });
  onTestFinished(() => {
    client.destroy();
    for (const far of fars) far.destroy();
    proxy.close();
  });
  client.on("error", () => {});
  client.on("keylog", (line: Buffer) => {
    const [label, , value = ""] = line.toString().trim().split(" ");
    if (label === "CLIENT_TRAFFIC_SECRET_0") secret = Buffer.from(value, "hex");
  });
  await once(client, "session");
  const [[near], [far]] = [nears, fars];
  if (secret === undefined || near === undefined || far === undefined) {
    throw new Error("The handshake is incomplete.");
  }
  far.pause();
  const isSent = once(near, "data");
  client.write(request);
  await isSent;
  // The request is the first record under the first key.
  let record = 1;
  let isClosed = false;
  far.once("close", () => (isClosed = true));
  while (!isClosed) {
    const records: Buffer[] = [];
    for (let count = 0; count < 500; count++) {
      records.push(keyUpdate(secret, record));
      record = 0;
      secret = expandLabel(secret, "traffic upd", 32);
    }
    far.write(Buffer.concat(records));
    await new Promise((resolve) => setImmediate(resolve));
  }
}
