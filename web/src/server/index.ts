export { type Calls, callsOf, type WebFacts } from "./calls.ts";
export type { LatestReading, LatestReadings } from "./latest-page.ts";
export { type WebOptions, webRoutes } from "./web-routes.ts";
