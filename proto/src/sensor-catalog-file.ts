import { readAtMost } from "./read-at-most.ts";
import { createSensorCatalog, type SensorCatalog } from "./sensor-catalog.ts";
import { parseSensorFile, problemText, type SensorFileProblem } from "./sensor-file.ts";
import { mergeSensors } from "./sensor-merge.ts";
import { builtInSensors } from "./sensors.ts";

/** Thrown if a file of sensors is invalid. The message is for the user: it names the file and every problem in it. */
export class SensorFileError extends Error {}

/** The maximum size of a file of sensors, in bytes. */
export const sensorFileBytesMax = 1024 * 1024;

/** The maximum number of problems that the message lists; it only counts the others. */
const problemsShownMax = 20;

/**
 * Returns the built-in catalog with the changes of a file, or without a file the catalog alone. Reads the file once.
 * @throws SensorFileError if the file cannot be read or has problems.
 */
export function readSensorCatalog(
  file: string | undefined,
  options: Parameters<typeof createSensorCatalog>[1] = {},
): SensorCatalog {
  if (file === undefined) return createSensorCatalog(builtInSensors, options);
  const parsed = parseSensorFile(readText(file));
  const merged = mergeSensors(builtInSensors, parsed.entries);
  const problems = [parsed, merged].flatMap((part) => (part.kind === "problems" ? part.problems : []));
  if (merged.kind === "problems" || problems.length > 0)
    throw new SensorFileError(
      problemsText(
        file,
        problems.toSorted((a, b) => a.line - b.line),
      ),
    );
  return createSensorCatalog(merged.sensors, options);
}

function readText(file: string): string {
  let bytes: Uint8Array;
  try {
    bytes = readAtMost(file, sensorFileBytesMax + 1);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new SensorFileError(
      `${file} cannot be read (${code}): give --sensors a file that this user may read`,
    );
  }
  if (bytes.length > sensorFileBytesMax) {
    throw new SensorFileError(
      `${file} has more than ${sensorFileBytesMax / 1024} KiB: it is not a file of sensors`,
    );
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new SensorFileError(`${file} is not text in UTF-8: save it as UTF-8`);
  }
}

function problemsText(file: string, problems: readonly SensorFileProblem[]): string {
  const shown = problems.slice(0, problemsShownMax).map((problem) => `  ${problemText(problem)}`);
  const more = problems.length - shown.length;
  return [
    `${file} is not a sensor catalog:`,
    ...shown,
    ...(more > 0 ? [`  and ${more} more problems`] : []),
  ].join("\n");
}
