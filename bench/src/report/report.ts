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
  readonly targets: readonly Target[];
};

/** Writes NAME.md (which shows NAME.svg), NAME.json and NAME.svg into the folder. */
export async function writeReport(folder: string, { name, markdown, json, svg }: Report): Promise<void> {
  await mkdir(folder, { recursive: true });
  const [title, ...rest] = markdown.split("\n");
  const withChart = [title, "", `![${title?.replace(/^# /, "")}](${name}.svg)`, ...rest].join("\n");
  await writeFile(join(folder, `${name}.md`), withChart);
  await writeFile(join(folder, `${name}.json`), `${JSON.stringify(json, undefined, 2)}\n`);
  await writeFile(join(folder, `${name}.svg`), svg);
}

/** Returns the final output: each target, met or NOT met. */
export function summary({ name, targets }: Report): string {
  return targets.map((target) => `${name}: ${targetText(target)}\n`).join("");
}
