export { type ImportRouteOptions, importRoutes } from "./http/import-route.ts";
export type { ImportOptions } from "./inspect/options.ts";
export {
  type InspectedInput,
  inspectFiles,
  inspectInputs,
  loadRecordings,
} from "./load/import-recordings.ts";
export type { ImportProgress, ImportReport } from "./load/report.ts";
export { inspectionText } from "./report/inspection-text.ts";
export { progressText, reportText } from "./report/report-text.ts";
export { createStatusLine, type Output } from "./report/status-line.ts";
export { importEnvironment } from "./settings.ts";
export { type Input, InputError, streamInput } from "./source/inputs.ts";
export { runImport } from "./start.ts";
