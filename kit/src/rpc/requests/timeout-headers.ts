/**
 * The longest delay of a timer in Node, in ms: 24.8 days. A longer one fires at once.
 * Source: https://nodejs.org/api/timers.html#settimeoutcallback-delay-args
 */
export const timerMaxMs = 2 ** 31 - 1;

const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/** Returns the ms of `grpc-timeout`, at most what a timer can keep; undefined if it is malformed. */
export function timeoutMsOf(value: string): number | undefined {
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(value) ?? [];
  return digits === undefined ? undefined : Math.min(Number(digits) * unitMs[unit!]!, timerMaxMs);
}

/** The value of `grpc-timeout`, or the longest deadline that a timer can keep if it is longer. */
export function clampGrpcTimeout(value: string): string {
  return timeoutMsOf(value) === timerMaxMs ? `${Math.floor(timerMaxMs / 1000)}S` : value;
}

/** The same for `connect-timeout-ms`. */
export function clampConnectTimeout(value: string): string {
  return /^\d{1,10}$/.test(value) && Number(value) > timerMaxMs ? String(timerMaxMs) : value;
}
