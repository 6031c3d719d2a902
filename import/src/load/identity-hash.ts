/** A hash of 64 bits of an identity, in two halves of 32. Among n readings two share one with a chance of n²/2⁶⁵. */
export type IdentityHash = { readonly low: number; readonly high: number };

/** The hash of device, sensor and timestamp: two hashes of 32 bits with different multipliers over the same words. */
export function identityHash(deviceId: string, sensorCode: number, timestampMs: number): IdentityHash {
  let low = Math.imul(sensorCode + 1, 0x85ebca6b);
  let high = Math.imul(sensorCode + 1, 0xc2b2ae35);
  const add = (word: number): void => {
    low = Math.imul(low ^ word, 0x01000193);
    low ^= low >>> 15;
    high = Math.imul(high ^ word, 0x27d4eb2f);
    high ^= high >>> 13;
  };
  for (let at = 0; at < deviceId.length; at++) add(deviceId.charCodeAt(at));
  add(timestampMs >>> 0);
  add(Math.floor(timestampMs / 2 ** 32));
  low = Math.imul(low ^ (low >>> 16), 0x85ebca6b) >>> 0;
  return { low, high: Math.imul(high ^ (high >>> 16), 0xc2b2ae35) >>> 0 };
}
