import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Target, targetText } from "./figures.ts";

/** The result of a bench, as text, data and chart. */
export type Report = {
  /** The files' name without an ending. */
  readonly name: string;
  readonly markdown: string;
  readonly json: unknown;
  readonly svg: string;
  /** More pictures that the text shows, by the names of their files without an ending. */
  readonly pictures?: Readonly<Record<string, string>>;
  readonly targets: readonly Target[];
};

/** Writes NAME.md (which shows NAME.svg), NAME.json, NAME.svg and the other pictures into the folder. */
export async function writeReport(folder: string, report: Report): Promise<void> {
  const { name, markdown, json, svg, pictures = {} } = report;
  await mkdir(folder, { recursive: true });
  const [title, ...rest] = markdown.split("\n");
  const withChart = [title, "", `![${title?.replace(/^# /, "")}](${name}.svg)`, ...rest].join("\n");
  await writeFile(join(folder, `${name}.md`), withChart);
  await writeFile(join(folder, `${name}.json`), `${JSON.stringify(json, undefined, 2)}\n`);
  for (const [file, picture] of Object.entries({ ...pictures, [name]: svg })) {
    await writeFile(join(folder, `${file}.svg`), picture);
  }
}

/** Returns the final output: each target, met or NOT met. */
export function summary({ name, targets }: Report): string {
  return targets.map((target) => `${name}: ${targetText(target)}\n`).join("");
}
