// The load on the HTTP peers: keep-alive connections, each with one POST of one reading after the other.

import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { isoMilliseconds, sensors } from "@devicemesh/proto";
import { createFleet, createRandom, createWander } from "./fleet.ts";
import { serveLoad } from "./load-process.ts";

/** The options of the load on an HTTP peer. */
export type HttpLoadSettings = {
  readonly port: number;
  readonly devices: number;
  /** Each has one request in flight. */
  readonly connections: number;
  /** The second (since 1970) of the first readings. */
  readonly startSeconds: number;
};

serveLoad<HttpLoadSettings>((settings) => {
  const nextRequest = createRequests(settings);
  return {
    async run(ms) {
      // New connections for each run: both servers close connections that were idle during other peers' runs.
      const sockets = await Promise.all(
        Array.from({ length: settings.connections }, () => openConnection(settings.port)),
      );
      try {
        const endAt = performance.now() + ms;
        const counts = await Promise.all(sockets.map((socket) => postUntil(socket, endAt, nextRequest)));
        return counts.reduce((sum, count) => sum + count, 0);
      } finally {
        for (const socket of sockets) socket.destroy();
      }
    },
    close() {},
  };
});

async function openConnection(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  return socket;
}

const stored = "HTTP/1.1 200";

/** Posts until `endAt` (by performance.now) and waits for the last response; resolves to the number of 200s. */
function postUntil(socket: Socket, endAt: number, nextRequest: () => string): Promise<number> {
  return new Promise((resolve, reject) => {
    let answers = 0;
    let received = "";
    function end(error?: Error): void {
      socket.off("data", take).off("error", end).off("close", closed);
      if (error) reject(error);
      else resolve(answers);
    }
    const closed = () => end(new Error("the server closed a connection"));
    function take(chunk: Buffer): void {
      received += chunk.toString("latin1");
      if (received.length < stored.length) return;
      if (!received.startsWith(stored)) {
        end(new Error(`a reading was answered with ${received}`));
        return;
      }
      // Both peers answer with a head and no body.
      if (!received.endsWith("\r\n\r\n")) return;
      received = "";
      answers++;
      if (performance.now() < endAt) socket.write(nextRequest(), "latin1");
      else end();
    }
    socket.on("data", take).on("error", end).on("close", closed);
    socket.write(nextRequest(), "latin1");
  });
}

/** An endless sequence of requests: every device in turn, a second later each time around. */
function createRequests({ devices, startSeconds }: HttpLoadSettings): () => string {
  const random = createRandom(1);
  const senders = createFleet(devices).map(({ deviceId, sensorCode, phaseMs }) => {
    const { deviceType, sensor } = sensors[sensorCode]!;
    return { deviceId, deviceType, sensor, phaseMs, wander: createWander(sensorCode, random) };
  });
  let seconds = startSeconds;
  let next = 0;
  return () => {
    if (next === senders.length) {
      next = 0;
      seconds++;
    }
    const { deviceId, deviceType, sensor, phaseMs, wander } = senders[next++]!;
    const timestamp = isoMilliseconds(seconds * 1000 + phaseMs);
    const body = `{"device_id":"${deviceId}","timestamp":"${timestamp}","${deviceType}":{"${sensor}":${wander()}}}`;
    return `POST /readings HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  };
}
