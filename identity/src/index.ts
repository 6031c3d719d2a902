export { accessProblem, type Served } from "./access-problem.ts";
export { createUserGate, type UserGate, userKey } from "./connect-access.ts";
export { createDenyList, type DenyList, emptyDenyList, parseDenyList } from "./deny-list.ts";
export { forwardedCertificateHeader } from "./forwarded-certificate.ts";
export { forwardedTokenHeader } from "./forwarded-user.ts";
export { createHttpGate, type HttpGate, openHttpGate } from "./http-access.ts";
export type { IdentifiedCall, IdentifyPublisher } from "./identify-publisher.ts";
export {
  type AccessDependencies,
  type DeviceAccess,
  openDeviceAccess,
  openUserAccess,
  type UserAccess,
} from "./open-access.ts";
export type { Publisher } from "./publisher.ts";
export { type Need, needOf, rpcNeeds, type Scope, scopes } from "./scopes.ts";
export {
  type DeviceAccessConfig,
  deviceAccessSettings,
  type UserAccessConfig,
  userAccessSettings,
} from "./settings.ts";
export { formatSpiffeName, mayPublish, parseSpiffeName, type SpiffeName } from "./spiffe-name.ts";
