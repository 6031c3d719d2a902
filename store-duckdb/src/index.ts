export { StoreOpenError } from "./database/duckdb-database.ts";
export { type EmbeddedStore, type EmbeddedStoreOptions, openEmbeddedStore } from "./duckdb-store.ts";
