export { createDelivery, type Delivery, type DeliveryCounts } from "./deliver/delivery.ts";
export type { Sender } from "./deliver/submit-checked.ts";
export { gatewayLimits } from "./limits.ts";
export { type Gateway, type GatewayOptions, openGateway } from "./open-gateway.ts";
export { createSensorLookup, type SensorLookup } from "./readings/sensor-lookup.ts";
export { gatewayRoutes } from "./routes.ts";
