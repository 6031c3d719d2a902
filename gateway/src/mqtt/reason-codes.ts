// Reason codes of MQTT 5 (section 2.4), and the return codes of CONNACK in 3.1.1 (section 3.2.2.3).
export const reasonCodes = {
  success: 0x00,
  withWill: 0x04,
  noSubscription: 0x11,
  unspecified: 0x80,
  malformed: 0x81,
  protocolError: 0x82,
  unsupportedVersion: 0x84,
  clientIdInvalid: 0x85,
  badCredentials: 0x86,
  notAuthorized: 0x87,
  serverUnavailable: 0x88,
  serverShuttingDown: 0x8b,
  keepAliveTimeout: 0x8d,
  takenOver: 0x8e,
  topicFilterInvalid: 0x8f,
  topicInvalid: 0x90,
  receiveMaximumExceeded: 0x93,
  packetTooLarge: 0x95,
  quotaExceeded: 0x97,
  payloadInvalid: 0x99,
  sharedUnsupported: 0x9e,
} as const;

/** The return code of a CONNACK before version 5. */
export function returnCodeOf(reasonCode: number): number {
  const codes: Readonly<Record<number, number>> = {
    [reasonCodes.success]: 0,
    [reasonCodes.unsupportedVersion]: 1,
    [reasonCodes.clientIdInvalid]: 2,
    [reasonCodes.badCredentials]: 4,
    [reasonCodes.notAuthorized]: 5,
  };
  return codes[reasonCode] ?? 3;
}
