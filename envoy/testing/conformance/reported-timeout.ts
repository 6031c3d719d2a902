const grpcUnitsMs: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/**
 * Returns the caller's timeout in ms from its headers; the remaining time on a busy server is shorter.
 */
export function reportedTimeoutMs(headers: Headers): number | undefined {
  const connect = headers.get("connect-timeout-ms");
  if (connect !== null) return Number(connect);
  const [, amount, unit] = /^(\d+)([HMSmun])$/.exec(headers.get("grpc-timeout") ?? "") ?? [];
  return amount === undefined || unit === undefined ? undefined : Number(amount) * (grpcUnitsMs[unit] ?? 1);
}
