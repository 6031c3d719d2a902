import { setTimeout as delay, setImmediate as nextTurn } from "node:timers/promises";
import type { PublishReadingsResponse } from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import type { handleClientStreamingCall } from "@grpc/grpc-js";
import { createAppendWindow } from "./append-window.ts";
import { createCommitUnit } from "./commit-unit.ts";
import type { IngestHandlerDependencies } from "./service.ts";

/** PublishReadings: a stream is one commit unit, answered when all that was accepted is durable. */
export function createPublishReadings({
  calls,
  intake,
  log,
  room,
  config,
  identityOf,
}: IngestHandlerDependencies): handleClientStreamingCall<Buffer, PublishReadingsResponse> {
  return (call, callback) => {
    calls.serve(call, callback, async (signal) => {
      const publisher = identityOf?.(call);
      const unit = createCommitUnit(config.refusedListMax);
      // A destroyed call ends the loop below, also one that waits for a frame.
      const stop = () => call.destroy();
      signal.addEventListener("abort", stop, { once: true });
      const appendsMax = config.streamAppendsMax;
      const window = createAppendWindow({ log, room, appendsMax, signal, onFailure: stop });
      try {
        for await (const frame of call as AsyncIterable<Buffer>) {
          const wait = window.add(intake(frame, unit, publisher));
          if (wait !== undefined) await wait;
        }
      } catch (error) {
        if (!isPrematureClose(error)) throw error;
      }
      signal.throwIfAborted();
      const ended = untilCancelWouldBeKnown();
      await window.drained();
      await ended;
      return unit.result();
    });
  };
}

/**
 * A client that cancels or dies ends its stream just as one that has finished; only some moments later
 * grpc-js says `cancelled` (measured: up to 2 ms, within two turns of the event loop). Until then an end is
 * not a commit. The wait goes on while the log writes, so that it seldom costs time. A cancel that comes
 * later still finds the unit counted, as does an answer that is lost on its way: nobody can tell the two apart.
 */
async function untilCancelWouldBeKnown(): Promise<void> {
  await delay(2);
  await nextTurn();
  await nextTurn();
}

function isPrematureClose(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_STREAM_PREMATURE_CLOSE";
}
