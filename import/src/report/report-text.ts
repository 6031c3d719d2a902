import type { ImportProgress, ImportReport } from "../load/report.ts";
import type { Place } from "../load/tally.ts";

const shownMax = 5;
const namesShownMax = 10;

/** Formats the progress of an import in one line. */
export function progressText(progress: ImportProgress): string {
  const { rows, acknowledged, acknowledgedPerSecond, bytesRead, bytesTotal, trouble, file } = progress;
  return [
    `${count(rows)} rows`,
    `${count(acknowledged)} stored (${count(Math.round(acknowledgedPerSecond))}/s)`,
    ...(bytesTotal ? [`${Math.min(100, Math.floor((100 * bytesRead) / bytesTotal))} %`] : []),
    ...(trouble === undefined ? [file] : [`waiting for ingest: ${trouble}`]),
  ].join(", ");
}

/** Formats the result of an import in lines whose numbers add up. */
export function reportText(report: ImportReport): string {
  const { rows, values, files, elapsedMs, ended, unsent } = report;
  const seconds = Math.max(elapsedMs, 1) / 1000;
  const sums: readonly (readonly [label: string, number: number, note?: string])[] = [
    storedText(report),
    ["duplicates", report.duplicates, "the same value again: stored once"],
    [
      "conflicts",
      report.conflicts,
      "another value for the same device, sensor and time: the first one is stored",
    ],
    [
      "stored before or by a lost attempt",
      report.resent,
      "ingest was unavailable before it answered, so these were sent again",
    ],
    ["missing", report.missing, "no value"],
    ["unknown sensor", report.unknownSensor, unknownText(report)],
    ["refused", report.refused, "values that break a rule"],
    ["bad rows", report.badRows, "rows of which nothing can be read"],
    ...(unsent > 0 ? [["not acknowledged", unsent] as const] : []),
  ];
  const width = Math.max(...sums.map(([, number]) => count(number).length), count(values).length);
  const lines = [
    `${count(rows)} rows of ${files === 1 ? "1 file" : `${count(files)} files`} in ${seconds.toFixed(1)} s (${count(Math.round(rows / seconds))} rows/s)`,
    ...sums
      .filter(([label, number]) => number > 0 || label === sums[0]![0])
      .map(
        ([label, number, note]) => `  ${count(number).padStart(width)} ${label}${note ? ` (${note})` : ""}`,
      ),
    `  ${count(values).padStart(width)} values in all`,
    ...report.refusals
      .slice(0, namesShownMax)
      .flatMap(({ reason, count: times, examples }) => [
        `${count(times)} × ${reason}`,
        ...examples.slice(0, shownMax).map((place) => `  ${placeText(place)}`),
        ...more(times, Math.min(examples.length, shownMax)),
      ]),
    ...report.refusedByIngest
      .slice(0, shownMax)
      .map(({ identity, fieldPath, text }) => `refused by ingest: ${identity}: ${fieldPath}: ${text}`),
    ...report.conflictPlaces.slice(0, shownMax).map((place) => `conflict: ${placeText(place)}`),
    ...repeatedText(report),
    ...(report.unchecked > 0
      ? [
          `the disk for temporary files is full: of ${count(report.unchecked)} readings it is not known whether they come again`,
        ]
      : []),
    ...(ended === "interrupted" ? ["interrupted: the rest was not sent"] : []),
    ...(ended === "gave-up" ? [`gave up: ${report.problem}`] : []),
    ...(ended === "failed" ? [`failed: ${report.problem}`] : []),
  ];
  return `${lines.join("\n")}\n`;
}

/** The first line of the sum: what ingest knows of earlier loads decides what can be claimed. */
function storedText({ isDryRun, stored, areEarlierLoadsKnown }: ImportReport): [string, number, string?] {
  if (isDryRun) return ["would be stored", stored, "if no earlier load has stored them"];
  if (areEarlierLoadsKnown) return ["stored", stored];
  return [
    "accepted",
    stored,
    "durably stored, each once; those of earlier loads are among them: ListDuplicates counts them later",
  ];
}

function unknownText({ unknownSensors }: ImportReport): string {
  const names = unknownSensors
    .slice(0, namesShownMax)
    .map(({ name, count: times }) => `${name} ${count(times)}`);
  const left = unknownSensors.length - names.length;
  const all = left > 0 ? [...names, `${left} others`] : names;
  return `${all.join(", ")}; --map COLUMN=SENSOR states what a column is`;
}

function repeatedText({ repeatedTimes: { first, second } }: ImportReport): string[] {
  return first + second === 0
    ? []
    : [
        `${count(first + second)} local times come twice, where clocks are set back; by the order of the rows ${count(first)} were taken for the first and ${count(second)} for the second`,
      ];
}

function placeText({ file, line, column, text }: Place): string {
  return `${file} line ${line}${column === undefined ? "" : `, ${JSON.stringify(column)}`}: ${text}`;
}

function more(total: number, shown: number): string[] {
  return total > shown ? [`  and ${count(total - shown)} more`] : [];
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}
