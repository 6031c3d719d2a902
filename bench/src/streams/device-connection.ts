import { once } from "node:events";
import { connect } from "node:net";
import { PublishReadingsResponse } from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import {
  connectionPreface,
  createFrameReader,
  encodeFrame,
  frameFlags,
  frameTypes,
  grpcHeaderBlock,
  grpcMessage,
} from "./http2-frames.ts";

/** A connection with a stream for each of some devices, which is always open. */
export type DeviceConnection = {
  /** Sends the one reading of a device's stream and ends it; `frame` is a PublishReadingsRequest. */
  send(device: number, frame: Uint8Array): void;
  /** Writes what was sent since the last time, and opens the next streams. */
  flush(): void;
  close(): void;
};

/** The window of a connection is updated after this number of received bytes: a quarter of its 65,535. */
const windowStep = 16_384;

/**
 * Connects, and opens a PublishReadings stream for each of the devices 0 to `devices` - 1. When a reading is
 * acknowledged, the device's next stream is opened.
 */
export async function openDeviceConnection(options: {
  readonly port: number;
  readonly devices: number;
  /** Called when a device's reading is acknowledged as durably stored. */
  readonly onAcknowledged: (device: number) => void;
  /** Called once if the connection or one of its streams fails. */
  readonly onFailure: (error: Error) => void;
}): Promise<DeviceConnection> {
  const { port, devices, onAcknowledged } = options;
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await once(socket, "connect");
  const headers = grpcHeaderBlock("/devicemesh.v1.IngestService/PublishReadings", `127.0.0.1:${port}`);
  const streamOf = new Int32Array(devices);
  const deviceOf = new Map<number, number>();
  const accepted = new Set<number>();
  let out: Buffer[] = [connectionPreface()];
  let nextStream = 1;
  let received = 0;
  let isClosed = false;

  function fail(error: Error): void {
    if (isClosed) return;
    isClosed = true;
    socket.destroy();
    options.onFailure(error);
  }
  function open(device: number): void {
    streamOf[device] = nextStream;
    deviceOf.set(nextStream, device);
    out.push(encodeFrame(frameTypes.headers, frameFlags.endHeaders, nextStream, headers));
    nextStream += 2;
  }
  function receivedData(stream: number, payload: Buffer): void {
    received += payload.length;
    if (received >= windowStep) {
      const increment = Buffer.alloc(4);
      increment.writeUInt32BE(received);
      out.push(encodeFrame(frameTypes.windowUpdate, 0, 0, increment));
      received = 0;
    }
    const response = PublishReadingsResponse.decode(payload.subarray(5));
    if (response.accepted === 1n && !response.duplicates) accepted.add(stream);
  }
  function ended(stream: number): void {
    const device = deviceOf.get(stream);
    if (device === undefined) return;
    if (!accepted.delete(stream)) {
      fail(new Error("a reading was not accepted"));
      return;
    }
    deviceOf.delete(stream);
    open(device);
    onAcknowledged(device);
  }

  socket.on(
    "data",
    createFrameReader(({ type, flags, stream, payload }) => {
      if (type === frameTypes.data) receivedData(stream, payload);
      else if (type === frameTypes.settings && (flags & frameFlags.ack) === 0) {
        out.push(encodeFrame(frameTypes.settings, frameFlags.ack, 0, Buffer.alloc(0)));
      } else if (type === frameTypes.ping && (flags & frameFlags.ack) === 0) {
        out.push(encodeFrame(frameTypes.ping, frameFlags.ack, 0, payload));
      } else if (type === frameTypes.goaway) fail(new Error("the server ends a connection"));
      else if (type === frameTypes.rstStream && deviceOf.has(stream)) {
        fail(new Error("the server resets a stream"));
      }
      const isLast = type === frameTypes.headers && (flags & frameFlags.endStream) !== 0;
      if (isLast) ended(stream);
    }),
  );
  socket.on("error", fail);
  socket.on("close", () => fail(new Error("the server closed a connection")));
  for (let device = 0; device < devices; device++) open(device);

  function flush(): void {
    if (out.length === 0 || isClosed) return;
    socket.write(Buffer.concat(out));
    out = [];
  }
  flush();
  return {
    send(device, frame) {
      out.push(encodeFrame(frameTypes.data, frameFlags.endStream, streamOf[device]!, grpcMessage(frame)));
    },
    flush,
    close() {
      isClosed = true;
      socket.destroy();
    },
  };
}
