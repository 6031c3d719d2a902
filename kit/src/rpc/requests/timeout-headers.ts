/**
 * The longest delay of a timer in Node, in ms: 24.8 days. A longer one fires at once.
 * Source: https://nodejs.org/api/timers.html#settimeoutcallback-delay-args
 */
export const timerMaxMs = 2 ** 31 - 1;

const timerMaxSeconds = Math.floor(timerMaxMs / 1000);

const unitSeconds: Readonly<Record<string, number>> = { H: 3600, M: 60, S: 1 };

/** The value of `grpc-timeout`, or the longest deadline that a timer can keep if it is longer. */
export function clampGrpcTimeout(value: string): string {
  // The smaller units have at most eight digits too, so they never exceed the limit.
  const [, digits, unit] = /^(\d{1,8})([HMS])$/.exec(value) ?? [];
  if (digits === undefined || unit === undefined) return value;
  return Number(digits) * unitSeconds[unit]! > timerMaxSeconds ? `${timerMaxSeconds}S` : value;
}

/** The same for `connect-timeout-ms`. */
export function clampConnectTimeout(value: string): string {
  return /^\d{1,10}$/.test(value) && Number(value) > timerMaxMs ? String(timerMaxMs) : value;
}
