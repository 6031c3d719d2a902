export { type EmbeddedConfig, embeddedSettings } from "./settings.ts";
export { type Embedded, startEmbedded } from "./start.ts";
