import { resultOf, type UnitSender } from "@devicemesh/client";
import type { PublishInProcess } from "@devicemesh/ingest";
import { RpcError } from "@devicemesh/kit/rpc/rpc-error";

/** Sends units of one frame to the ingest of this process. */
export function createLocalSender(publish: PublishInProcess): UnitSender {
  return {
    async send(unit, signal) {
      try {
        return resultOf(unit, await publish(unit.frames[0]!.bytes, signal));
      } catch (error) {
        if (!(error instanceof RpcError)) {
          return { kind: "failed", code: "INTERNAL", message: "internal error", retryDelayMs: undefined };
        }
        const hint = error.details.find((detail) => detail.kind === "retryInfo");
        return { kind: "failed", code: error.code, message: error.message, retryDelayMs: hint?.retryDelayMs };
      }
    },
    close() {},
  };
}
