import type { Setting } from "@devicemesh/kit/settings/setting-schema";

/** Tags of line protocol that name the device, as clients in use write them. */
export const lineDeviceTagsByDefault = "device_id,device,sensor_id,node_id,entity_id,host";

/** What every program with a gateway can be told. The environment variables begin with `prefix`. */
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
  }) as const satisfies Readonly<Record<string, Setting>>;
