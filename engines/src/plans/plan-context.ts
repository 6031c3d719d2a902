import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Ports } from "../engine-names.ts";
import type { JavaSettings } from "../install/java-command.ts";
import { renderTemplate } from "./template.ts";

/** The folder of each installed part. */
export type EngineHomes = { readonly kafka: string; readonly spark: string; readonly python: string };

/** The input of the plans of all engines. */
export type PlanContext = {
  /** The folder of data, configuration and logs; absolute. */
  readonly folder: string;
  readonly ports: Ports;
  readonly homes: EngineHomes;
  readonly java: JavaSettings;
  /** Fills a template of engines/config/ and writes it to a file. */
  writeConfig(template: string, file: string, variables: Readonly<Record<string, string | number>>): void;
};

/** The configuration files that the stack mounts too. */
export const configFolder = fileURLToPath(new URL("../../config", import.meta.url));

/** Fills a template of engines/config/ and writes it to a file. */
export function writeConfig(
  template: string,
  file: string,
  variables: Readonly<Record<string, string | number>>,
): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(
    file,
    renderTemplate(readFileSync(join(configFolder, template), "utf8"), variables, template),
  );
}
