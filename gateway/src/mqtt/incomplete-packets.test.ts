import { generate } from "mqtt-packet";
import { describe, expect, it } from "vitest";
import { connectClient, connectRaw, serveBroker } from "../../testing/test-broker.ts";

const connectBytes = (clientId: string) =>
  generate({ cmd: "connect", clientId, protocolVersion: 4, clean: true, keepalive: 0 });
const publish = generate({
  cmd: "publish",
  topic: "kitchen/temperature",
  payload: Buffer.from(`21.5${" ".repeat(1000)}`),
  qos: 0,
  dup: false,
  retain: false,
});
const part = publish.subarray(0, 900);

describe("a packet that is not complete", () => {
  it("is limited before the client is known: a large CONNECT is never buffered", async () => {
    const { port, listener } = await serveBroker({ limits: { connectBytesMax: 1000 } });
    // The header of a CONNECT of 1001 bytes.
    await connectRaw(port, Buffer.from([0x10, 0xe9, 0x07])).closed;
    expect(listener.counts().brokenConnections).toBe(1);
    const client = await connectClient(port);
    await client.publishAsync("kitchen/temperature", `21.5${" ".repeat(2000)}`, { qos: 1 });
  });

  it("has a share of the memory for those of all connections, which ends with its connection", async () => {
    const { port, listener, ingest } = await serveBroker({ limits: { incompleteBytesMax: 1000 } });
    const first = connectRaw(port, Buffer.concat([connectBytes("a"), publish, part]));
    await expect.poll(() => ingest.calls.length, { timeout: 30_000 }).toBe(1);
    await connectRaw(port, Buffer.concat([connectBytes("b"), part])).closed;
    expect(listener.counts().brokenConnections).toBe(1);
    first.socket.write(publish.subarray(part.length));
    await expect.poll(() => ingest.calls.length, { timeout: 30_000 }).toBe(2);
    first.socket.write(part);
    first.socket.end();
    await first.closed;
    const third = connectRaw(port, Buffer.concat([connectBytes("c"), part]));
    await expect.poll(() => listener.counts().connections, { timeout: 30_000 }).toBe(1);
    third.socket.write(publish.subarray(part.length));
    third.socket.end();
    await third.closed;
    expect(listener.counts().brokenConnections).toBe(1);
  });

  it("ends its connection after a time limit", async () => {
    const { port, listener } = await serveBroker({ limits: { packetTimeoutMs: 20 } });
    await connectRaw(port, Buffer.concat([connectBytes("a"), part])).closed;
    expect(listener.counts().brokenConnections).toBe(1);
  });
});
