import type { ImportProgress, ImportReport } from "../load/report.ts";
import type { Place } from "../load/tally.ts";
import type { InspectionDescription } from "./describe-inspection.ts";

/** The description of a recording as JSON, with the names of the contract's JSON (`device_id`, `timestamp`). */
export function inspectionJson({
  file,
  preset,
  format,
  encoding,
  columns,
  examples,
  questions,
  problem,
}: InspectionDescription) {
  return {
    file,
    preset: preset ?? null,
    format,
    encoding,
    columns,
    examples: examples.map(({ line, deviceId, sensor, value, unit, time }) => ({
      line,
      device_id: deviceId,
      timestamp: time,
      sensor,
      value,
      unit,
    })),
    questions: questions.map(({ flag, text }) => ({
      parameter: /^--([a-z]+)/.exec(flag)?.[1] ?? "",
      flag,
      text,
    })),
    problem: problem ?? null,
  };
}

/** The progress of an import as JSON. */
export function progressJson({
  rows,
  acknowledged,
  acknowledgedPerSecond,
  bytesRead,
  bytesTotal,
  trouble,
}: ImportProgress) {
  return {
    rows,
    acknowledged,
    acknowledged_per_second: Math.round(acknowledgedPerSecond),
    bytes_read: bytesRead,
    bytes_total: bytesTotal ?? null,
    trouble: trouble ?? null,
  };
}

/** The result of an import as JSON: values is the sum of all fields that follow up to unsent. */
export function reportJson(report: ImportReport) {
  return {
    ended: report.ended,
    problem: report.problem ?? null,
    dry_run: report.isDryRun,
    rows: report.rows,
    values: report.values,
    stored: report.stored,
    duplicates: report.duplicates,
    conflicts: report.conflicts,
    resent: report.resent,
    earlier_loads_known: report.areEarlierLoadsKnown,
    missing: report.missing,
    unknown_sensor: report.unknownSensor,
    refused: report.refused,
    bad_rows: report.badRows,
    unsent: report.unsent,
    unknown_sensors: report.unknownSensors,
    refusals: report.refusals.map(({ reason, count, examples }) => ({
      reason,
      count,
      examples: examples.map(placeJson),
    })),
    refused_by_ingest: report.refusedByIngest.map(({ identity, fieldPath, ruleId, text }) => ({
      identity,
      field: fieldPath,
      rule: ruleId,
      text,
    })),
    first_conflicts: report.conflictPlaces.map(placeJson),
    repeated_local_times: report.repeatedTimes,
    elapsed_ms: report.elapsedMs,
  };
}

function placeJson({ line, column, text }: Place) {
  return { line, column: column ?? null, text };
}
