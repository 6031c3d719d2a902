import { deviceAccessSettings, userAccessSettings } from "@devicemesh/identity";
import { addressSettings } from "@devicemesh/kit/settings/address-settings";
import { defineSettings, type SettingsOf } from "@devicemesh/kit/settings/define-settings";
import { logLevelSetting } from "@devicemesh/kit/settings/log-level-setting";
import { metricsSettings } from "@devicemesh/kit/settings/metrics-setting";
import { sensorSettings } from "@devicemesh/kit/settings/sensor-settings";
import type { Setting, SettingValues } from "@devicemesh/kit/settings/setting-schema";
import { topicsByDefault } from "./topics/topic-mapping.ts";

/** Tags of line protocol that name the device in common clients. */
export const lineDeviceTagsByDefault = "device_id,device,sensor_id,node_id,entity_id,host";

/** The settings of every program with a gateway. The environment variables begin with `prefix`. */
export const gatewaySettings = (prefix = "DEVICEMESH_") =>
  ({
    lineDeviceTags: {
      flag: "--line-device-tags",
      env: `${prefix}LINE_DEVICE_TAGS`,
      kind: "string",
      default: lineDeviceTagsByDefault,
      placeholder: "TAG,…",
      description:
        "Tags of line protocol that name the device: the first one that a line has; `a+b` takes both, joined with /.",
    },
    mqttPort: {
      flag: "--mqtt-port",
      env: `${prefix}MQTT_PORT`,
      kind: "integer",
      minimum: 0,
      maximum: 65535,
      description:
        "Port of an MQTT broker (3.1.1 and 5) for devices, usually 1883; 0 picks a free port. Off by default.",
    },
    mqttTopics: {
      flag: "--mqtt-topics",
      env: `${prefix}MQTT_TOPICS`,
      kind: "string",
      default: topicsByDefault.join(","),
      placeholder: "FORM,…",
      description:
        "Forms of MQTT topics; the first form that matches a topic is used: presets, and templates such as site/{device_id}/{sensor} (a number) or {device_id} (a JSON object).",
    },
    mqttUrl: {
      flag: "--mqtt-url",
      env: `${prefix}MQTT_URL`,
      kind: "string",
      placeholder: "URL",
      description:
        "Existing MQTT broker to read from: mqtt://HOST:1883 or mqtts://HOST:8883. Put user and password (mqtt://USER:PASSWORD@HOST) into the variable or its _FILE.",
    },
    mqttSubscribe: {
      flag: "--mqtt-subscribe",
      env: `${prefix}MQTT_SUBSCRIBE`,
      kind: "string",
      default: "#",
      placeholder: "FILTER,…",
      description: "Topic filters to subscribe to at the existing broker.",
    },
    mqttClientId: {
      flag: "--mqtt-client-id",
      env: `${prefix}MQTT_CLIENT_ID`,
      kind: "string",
      default: "device-mesh",
      placeholder: "TEXT",
      description:
        "Client id at the existing broker, which keeps messages for it while it is disconnected. Use a different one for each gateway.",
    },
    mqttGroup: {
      flag: "--mqtt-group",
      env: `${prefix}MQTT_GROUP`,
      kind: "string",
      default: "device-mesh",
      placeholder: "TEXT",
      description: "Shared subscription at the existing broker: gateways of one group share the messages.",
    },
    mqttCa: {
      flag: "--mqtt-ca",
      env: `${prefix}MQTT_CA`,
      kind: "string",
      placeholder: "FILE",
      description: "CA (PEM) of the existing broker, for mqtts; those of the system by default.",
    },
  }) as const satisfies Readonly<Record<string, Setting>>;

/** The values of `gatewaySettings`. */
export type GatewaySettings = SettingValues<ReturnType<typeof gatewaySettings>>;

/** The settings of the gateway as a separate process. */
export const gatewayProgramSettings = defineSettings({
  prefix: "DEVICEMESH_",
  usage: "node gateway/src/main.ts [flags]",
  summary: "Accepts readings over HTTP and MQTT, and sends them to ingest.",
  settings: {
    ...addressSettings({
      hostVariable: "DEVICEMESH_HOST",
      portVariable: "DEVICEMESH_PORT",
      port: 8082,
      hostDescription:
        "Address to listen on. Addresses other than loopback need --jwks and --device-ca, or --insecure-beyond-loopback.",
    }),
    ingest: {
      flag: "--ingest",
      env: "DEVICEMESH_INGEST",
      kind: "string",
      default: "127.0.0.1:50051",
      placeholder: "HOST:PORT",
      description: "Address of ingest.",
    },
    ingestCa: {
      flag: "--ingest-ca",
      env: "DEVICEMESH_INGEST_CA",
      kind: "string",
      placeholder: "FILE",
      description: "CA (PEM) of ingest's certificate; cleartext without it.",
    },
    ingestCertificate: {
      flag: "--ingest-cert",
      env: "DEVICEMESH_INGEST_CERT",
      kind: "string",
      placeholder: "FILE",
      description: "Certificate (PEM) of the gateway, whose name covers its devices.",
    },
    ingestKey: {
      flag: "--ingest-key",
      env: "DEVICEMESH_INGEST_KEY",
      kind: "string",
      placeholder: "FILE",
      description: "Private key (PEM) of that certificate.",
    },
    forwardedName: {
      flag: "--forwarded-name",
      env: "DEVICEMESH_FORWARDED_NAME",
      kind: "string",
      default: "",
      placeholder: "URI",
      description:
        "Name to present to an ingest that trusts forwarded identity: spiffe://DOMAIN/gateway/PREFIX, or * for PREFIX to send for every device.",
    },
    corsOrigin: {
      flag: "--cors-origin",
      env: "DEVICEMESH_CORS_ORIGIN",
      kind: "string",
      placeholder: "ORIGIN",
      description: "Origins of web pages that may send, separated by commas. None by default.",
    },
    ...gatewaySettings(),
    ...sensorSettings(),
    ...userAccessSettings(),
    ...deviceAccessSettings(),
    ...metricsSettings(),
    logLevel: logLevelSetting(),
  },
});

/** The values of the process. */
export type GatewayProgramSettings = SettingsOf<typeof gatewayProgramSettings>;
