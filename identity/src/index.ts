export { accessProblem, type Served } from "./access-problem.ts";
export { createDenyList, type DenyList, emptyDenyList, parseDenyList } from "./deny-list/deny-list.ts";
export { forwardedCertificateHeader } from "./devices/forwarded-certificate.ts";
export type { IdentifiedCall, IdentifyPublisher } from "./devices/identify-publisher.ts";
export type { Publisher } from "./devices/publisher.ts";
export { formatSpiffeName, mayPublish, parseSpiffeName, type SpiffeName } from "./devices/spiffe-name.ts";
export {
  type AccessDependencies,
  type DeviceAccess,
  openDeviceAccess,
  openSenderAccess,
  openUserAccess,
  type SenderAccess,
  type UserAccess,
} from "./open-access.ts";
export type { IdentifiedSender, IdentifySender, SenderCredentials } from "./senders/sender-access.ts";
export {
  type DeviceAccessConfig,
  deviceAccessSettings,
  type UserAccessConfig,
  userAccessSettings,
} from "./settings.ts";
export { createUserGate, type UserGate, userKey } from "./users/connect-access.ts";
export { forwardedTokenHeader } from "./users/forwarded-user.ts";
export { createHttpGate, type HttpGate, openHttpGate } from "./users/http-access.ts";
export { type Need, needOf, rpcNeeds, type Scope, scopes } from "./users/scopes.ts";
