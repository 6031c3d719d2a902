export { parseIdentity, windowId } from "./identities.ts";
export { databaseDiskFull, isDatabaseDiskFull, outOfDiskSpaceCode } from "./mongo-database-disk.ts";
export {
  type AggregatorStatusDocument,
  type CheckpointDocument,
  type ConflictDocument,
  type DeadLetterDocument,
  type DeadLetterKind,
  type DuplicateWindowDocument,
  deadLetterKinds,
  type FrontierDocument,
  type LeaseDocument,
  type MessageDocument,
  type OperatorStatusDocument,
  type PartialDocument,
  type PartialFigures,
  type Repair,
  type RetentionDocument,
  type SensorUnit,
  type SeriesDocument,
  type SeriesDuplicatesDocument,
  type SettingsDocument,
} from "./mongo-documents.ts";
export { type ChainNames, chainNames, collections, connectorGroup, partialsCollection } from "./names.ts";
export { keptSinceOf, marksOf, retentionDocument } from "./retention-marks.ts";
export { type AcceptedSince, acceptedSinceOf, acceptedSinceRecord } from "./retention-record.ts";
export { changedUnits, unitConflict } from "./sensor-units.ts";
export { chainSettings } from "./settings.ts";
