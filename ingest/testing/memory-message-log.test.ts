import { describe, expect, it } from "vitest";
import { createMemoryMessageLog, memoryLogSentinels } from "./memory-message-log.ts";
import { batchOf, describeMessageLog } from "./message-log.contract.ts";

describeMessageLog("the memory message log", async () => {
  const memory = createMemoryMessageLog();
  return { log: memory.log, readAll: async () => memory.readAll(), close: async () => memory.close() };
});

describe("the memory message log", () => {
  const message = { deviceId: "a", timestampMs: 0, sensor: "temperature", value: 1 } as const;

  it("rejects appends on request, and stores nothing of them", async () => {
    const { log, messages } = createMemoryMessageLog();
    const unavailable = log.append(
      batchOf([message, { ...message, deviceId: memoryLogSentinels.unavailable }]),
    );
    await expect(unavailable).rejects.toMatchObject({ code: "UNAVAILABLE" });
    const broken = log.append(batchOf([message, { ...message, deviceId: memoryLogSentinels.broken }]));
    await expect(broken).rejects.not.toHaveProperty("code");
    expect(messages).toEqual([]);
  });

  it("rejects appends beyond its capacity with UNAVAILABLE", async () => {
    const { log } = createMemoryMessageLog({ messagesMax: 2 });
    await log.append(batchOf([message, message]));
    await expect(log.append(batchOf([message]))).rejects.toMatchObject({ code: "UNAVAILABLE" });
  });
});
