import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";

/** For tests: the columns of a recording, and the time of its first row. */
export const header = "device_id,timestamp,sensor,value";
export const startMs = Date.UTC(2010, 0, 1);
export const iso = (ms: number) => new Date(ms).toISOString();

/** For tests: rows of one device, `stepMs` apart. */
export const lines = (count: number, stepMs = 3_600_000) =>
  Array.from({ length: count }, (_, index) => `a,${iso(startMs + index * stepMs)},temperature,${index % 50}`);

/** For tests: returns a function that writes a recording and returns its path; the tests' folder is deleted at the end. */
export function recordingFile(): (content: string | Buffer) => string {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "replay-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  return (content) => {
    const file = join(folder, "recording.csv");
    writeFileSync(file, content);
    return file;
  };
}
