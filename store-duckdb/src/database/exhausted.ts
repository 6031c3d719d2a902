import { RpcError } from "@devicemesh/kit/rpc/rpc-error";

/** RESOURCE_EXHAUSTED of something that other calls give back within a second or so, with a retry hint. */
export function exhausted(subject: string, description: string, cause?: unknown): RpcError {
  return new RpcError({
    code: "RESOURCE_EXHAUSTED",
    message: `${subject}: ${description}`,
    details: [
      { kind: "quotaFailure", violations: [{ subject, description }] },
      { kind: "retryInfo", retryDelayMs: 1000 },
    ],
    cause,
  });
}
