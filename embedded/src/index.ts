export { StoreOpenError } from "./duckdb-database.ts";
export { type EmbeddedStore, type EmbeddedStoreOptions, openEmbeddedStore } from "./embedded-store.ts";
