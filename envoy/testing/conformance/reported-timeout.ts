const grpcUnitsMs: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/**
 * The time that the caller said it would wait, in ms, as its headers have it: what a busy server has left of
 * it is less.
 */
export function toldTimeoutMs(headers: Headers): number | undefined {
  const connect = headers.get("connect-timeout-ms");
  if (connect !== null) return Number(connect);
  const [, amount, unit] = /^(\d+)([HMSmun])$/.exec(headers.get("grpc-timeout") ?? "") ?? [];
  return amount === undefined || unit === undefined ? undefined : Number(amount) * (grpcUnitsMs[unit] ?? 1);
}
