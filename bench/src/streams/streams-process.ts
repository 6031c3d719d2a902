// Devices with a stream each and a reading a second, in a separate process.
import { createFleet } from "../load/fleet.ts";
import { createFrameSource, type FrameSource } from "../load/frames.ts";
import { type DeviceConnection, openDeviceConnection } from "./device-connection.ts";
import type { StreamsAnswer, StreamsRequest, StreamsSettings } from "./device-streams.ts";

/** How often due readings are sent. */
const tickMs = 2;
const secondMs = 1000;

type Device = {
  readonly connection: DeviceConnection;
  /** Its number on the connection. */
  readonly number: number;
  readonly frames: FrameSource;
  /** When its next reading is due, by `performance.now()`, or that was due which is not acknowledged yet. */
  dueMs: number;
  isWaiting: boolean;
};

const devices: Device[] = [];
let acknowledged = 0;
let latenciesMs: number[] = [];
let failure: Error | undefined;
let timer: NodeJS.Timeout | undefined;

async function open({ port, devices: count, connections, startSeconds }: StreamsSettings): Promise<void> {
  const fleet = createFleet(count);
  const each = count / connections;
  const beginMs = performance.now() + secondMs;
  for (let first = 0; first < count; first += each) {
    const connection = await openDeviceConnection({
      port,
      devices: each,
      onAcknowledged: (number) => acknowledge(devices[first + number]!),
      onFailure: (error) => (failure ??= error),
    });
    for (let number = 0; number < each; number++) {
      const device = fleet[first + number]!;
      const frames = createFrameSource({
        devices: [device],
        secondsPerFrame: 1,
        startSeconds,
        templates: 4,
        seed: first + number + 1,
      });
      devices.push({ connection, number, frames, dueMs: beginMs + device.phaseMs, isWaiting: false });
    }
  }
  // Later than this is due at once; all of it would be due together.
  const behindMs = Math.max(0, Math.ceil((performance.now() - beginMs) / secondMs)) * secondMs;
  for (const device of devices) device.dueMs += behindMs;
  timer = setInterval(sendDue, tickMs);
}

function sendDue(): void {
  const nowMs = performance.now();
  const used = new Set<DeviceConnection>();
  for (const device of devices) {
    used.add(device.connection);
    if (device.isWaiting || device.dueMs > nowMs) continue;
    device.isWaiting = true;
    device.connection.send(device.number, device.frames.next());
  }
  for (const connection of used) connection.flush();
}

/** A reading that is sent late, because the one before was not acknowledged in time, counts from when it was due. */
function acknowledge(device: Device): void {
  latenciesMs.push(performance.now() - device.dueMs);
  acknowledged++;
  device.isWaiting = false;
  device.dueMs += secondMs;
}

async function answer(request: StreamsRequest): Promise<StreamsAnswer> {
  if (failure) throw failure;
  switch (request.kind) {
    case "open":
      await open(request.settings);
      return { kind: "opened" };
    case "take": {
      const taken = latenciesMs;
      latenciesMs = [];
      return { kind: "taken", latenciesMs: taken };
    }
    case "end": {
      clearInterval(timer);
      const endMs = performance.now() + 10 * secondMs;
      while (!failure && devices.some(({ isWaiting }) => isWaiting) && performance.now() < endMs) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      for (const connection of new Set(devices.map((device) => device.connection))) connection.close();
      return { kind: "ended", acknowledged, unanswered: devices.filter(({ isWaiting }) => isWaiting).length };
    }
  }
}

process.on("message", (request: StreamsRequest) => {
  answer(request)
    .catch((error: unknown): StreamsAnswer => ({ kind: "failed", text: String(error) }))
    .then((reply) => process.send?.(reply));
});
process.on("disconnect", () => process.exit());
