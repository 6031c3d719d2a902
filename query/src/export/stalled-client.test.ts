import { expect, it } from "vitest";
import { endedIfStalled } from "./stalled-client.ts";

async function* messages(onEnd: () => void): AsyncGenerator<number> {
  try {
    for (let number = 1; ; number++) yield number;
  } finally {
    onEnd();
  }
}

it("ends the source of a client that reads nothing, and fails when it resumes", async () => {
  const ended = Promise.withResolvers<void>();
  const stream = endedIfStalled(messages(ended.resolve), 10);
  expect((await stream.next()).value).toBe(1);
  await ended.promise;
  await expect(stream.next()).rejects.toMatchObject({ code: "DEADLINE_EXCEEDED" });
});

it("passes on messages that are read in time, and ends the source of a disconnected client", async () => {
  let isEnded = false;
  const stream = endedIfStalled(
    messages(() => {
      isEnded = true;
    }),
    60_000,
  );
  expect([(await stream.next()).value, (await stream.next()).value]).toEqual([1, 2]);
  await stream.return(undefined);
  expect(isEnded).toBe(true);
});
