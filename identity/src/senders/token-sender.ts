import { permissionDenied } from "../access-error.ts";
import type { DenyList } from "../deny-list/deny-list.ts";
import type { Publisher } from "../devices/publisher.ts";
import { clockToleranceMs } from "../users/jose-token-verifier.ts";
import { tokenProblem, type User } from "../users/user.ts";
import { coversDevice } from "./device-claim.ts";

/**
 * Returns the publisher of a token: its devices are those of the claim `devices`.
 * @throws RpcError PERMISSION_DENIED if it lacks the scope `devicemesh.send` or lists no devices.
 */
export function createTokenSender(
  user: User,
  { denyList, clock }: { readonly denyList: DenyList; readonly clock: () => number },
): Publisher {
  const { subject, scopes, devices = [] } = user;
  if (!scopes.has("devicemesh.send")) {
    throw permissionDenied({
      reason: "SCOPE_MISSING",
      message: "readings need a token with the scope devicemesh.send",
      metadata: { scope: "devicemesh.send", scopes: [...scopes].join(" ") },
    });
  }
  if (devices.length === 0) {
    throw permissionDenied({
      reason: "DEVICES_MISSING",
      message: "the token lists no devices: ask for one with the claim devices",
      metadata: { subject },
    });
  }
  const shown = devices.slice(0, 5).join(", ") + (devices.length > 5 ? ", …" : "");
  return {
    uri: `token:${subject}`,
    mayPublish: (deviceId) => coversDevice(devices, deviceId),
    refusalText: `must be one of ${shown}, the devices of the token of ${subject}`,
    problem: () => tokenProblem(user, { nowMs: clock(), denyList, toleranceMs: clockToleranceMs }),
  };
}
