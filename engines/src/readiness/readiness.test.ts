import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { expect, it } from "vitest";
import { untilReady } from "./readiness.ts";

it("a wait for an engine that does not answer ends as soon as it is cancelled, before the probe does", async () => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  let isOver = false;
  const check = (): void => {
    if (isOver) throw new Error("stopped by a signal");
  };
  const waiting = untilReady({ kind: "http", url: `http://127.0.0.1:${port}/` }, { limitMs: 60_000, check });
  await waitUntil(() => sockets.size > 0);
  isOver = true;
  await expect(waiting).rejects.toThrow("stopped by a signal");
  // The probe itself would have stayed open for three seconds.
  expect([...sockets].some((socket) => !socket.closed)).toBe(true);
  for (const socket of sockets) socket.destroy();
  server.close();
});
