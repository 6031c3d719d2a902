export { type ConfiguredGateway, openConfiguredGateway } from "./configured-gateway.ts";
export { createSensorLookup, type SensorLookup } from "./readings/sensor-lookup.ts";
export { type GatewaySettings, gatewaySettings } from "./settings.ts";
