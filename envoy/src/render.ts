import { readFileSync } from "node:fs";
import { readContractImage } from "@devicemesh/proto/image";
import { contractServices } from "./contract-services.ts";
import { type EnvoySettings, fillingOf } from "./settings.ts";
import { renderTemplate } from "./template.ts";

/**
 * Renders envoy.yaml with these settings. Reads files beside the code.
 * @throws Error if the settings contradict each other or the template.
 */
export function renderEnvoy(settings: EnvoySettings): string {
  const template = readFileSync(new URL("../envoy.yaml", import.meta.url), "utf8");
  return renderTemplate(template, fillingOf(settings, contractServices(readContractImage())));
}
