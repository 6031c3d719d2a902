export { findCredentials, type MeshCredentials } from "./services/credentials.ts";
export type { EngineAddresses, MeshIdentity, ServiceName, ServicesConfig } from "./services/service-plans.ts";
export type { ServiceProcess } from "./services/service-process.ts";
export { createServices, type Services, type ServicesDependencies } from "./services/services.ts";
export { runSteps, type Step, type StepList, type StepView } from "./steps.ts";
