export type { EngineName, EnginePart, ListenerName, Ports } from "./engine-names.ts";
export { defaultCache } from "./install/engine-parts.ts";
export { type InstalledEngines, installEngines, MissingToolsError } from "./install/install-engines.ts";
export { findEnvoy, installEnvoy } from "./install/install-envoy.ts";
export type { EngineAddresses } from "./plans/plan-engines.ts";
export { type EngineStatus, readEnginesStatus } from "./run/engines-status.ts";
export {
  type EngineControl,
  type Engines,
  type EnginesOptions,
  type EnginesProgress,
  engineControl,
  FolderInUseError,
  killEnginesNow,
  startEngines,
} from "./run/start-engines.ts";
