export { type Embedded, startEmbedded } from "./compose.ts";
export { type EmbeddedConfig, embeddedSettings } from "./config.ts";
export { StoreOpenError } from "./duckdb-database.ts";
export { type EmbeddedStore, type EmbeddedStoreOptions, openEmbeddedStore } from "./embedded-store.ts";
