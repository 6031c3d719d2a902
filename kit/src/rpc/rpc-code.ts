/** The numbers of the status codes that a service may return, defined by gRPC and google.rpc.Code. */
export const rpcCodeNumbers = {
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const;

/** A status code that a service may return: only those that callers distinguish. */
export type RpcCode = keyof typeof rpcCodeNumbers;
