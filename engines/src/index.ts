export type { EngineName, EnginePart, ListenerName, Ports } from "./engine-names.ts";
export { defaultCache } from "./engine-parts.ts";
export { type EngineStatus, readEnginesStatus } from "./engines-status.ts";
export { type InstalledEngines, installEngines, MissingToolsError } from "./install-engines.ts";
export { findEnvoy, installEnvoy } from "./install-envoy.ts";
export type { EngineAddresses } from "./plan-engines.ts";
export {
  type EngineControl,
  type Engines,
  type EnginesOptions,
  type EnginesProgress,
  engineControl,
  FolderInUseError,
  killEnginesNow,
  startEngines,
} from "./start-engines.ts";
