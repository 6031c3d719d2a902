export { findCredentials, type MeshCredentials } from "./credentials.ts";
export type { EngineAddresses, MeshIdentity, ServiceName, ServicesConfig } from "./service-plans.ts";
export type { ServiceProcess } from "./service-process.ts";
export { createServices, type Services, type ServicesDependencies } from "./services.ts";
export { runSteps, type Step, type StepList, type StepView } from "./steps.ts";
