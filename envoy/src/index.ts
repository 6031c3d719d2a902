export type { Admin, AdminAnswer } from "./admin.ts";
export { renderEnvoy } from "./render.ts";
export {
  type CertificateFiles,
  type DevicesListener,
  type EdgeLimits,
  type EnvoySettings,
  edgeLimitDefaults,
  type HostPort,
  type ListenAddress,
  type PublicListener,
  type UserTokens,
} from "./settings.ts";
export { type Envoy, type StartEnvoyOptions, startEnvoy } from "./start-envoy.ts";
export { validateConfig } from "./validate.ts";
