export { type ImportRouteOptions, importRoutes } from "./http/import-route.ts";
export { loadRecordings, lookAtInputs } from "./load/import-recordings.ts";
export type { ImportProgress, ImportReport } from "./load/report.ts";
export type { ImportOptions } from "./look/options.ts";
export { importEnvironment } from "./settings.ts";
export { type Input, streamInput } from "./source/inputs.ts";
export { runImport } from "./start.ts";
