import { type RpcError, resourceExhausted } from "@devicemesh/kit/rpc/rpc-error";

/** RESOURCE_EXHAUSTED of something that other calls give back within a second or so, with a retry hint. */
export function exhausted(subject: string, description: string, cause?: unknown): RpcError {
  return resourceExhausted({ subject, description, retryDelayMs: 1000, cause });
}
