import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { temporaryFolder, waitUntil } from "@devicemesh/kit/testing/test-helpers";
import { describe, expect, it } from "vitest";
import { type ServiceOptions, startServiceProcess } from "./service-process.ts";

/** A service that listens, ends on SIGTERM, and dies when it receives a byte. */
const program = `
import { createServer } from "node:net";
const server = createServer((socket) => socket.on("data", () => process.exit(7)));
server.listen(Number(process.argv[2] ?? 0), "127.0.0.1", () => {
  console.error("a line of the log, " + (process.env.GREETING ?? "no greeting"));
  console.log("listening on 127.0.0.1:" + server.address().port);
});
process.on("SIGTERM", () => process.exit(0));
`;

function optionsIn(folder: string, more: Partial<ServiceOptions> = {}): ServiceOptions {
  const main = join(folder, "service.mjs");
  writeFileSync(main, program);
  return {
    name: "echo",
    main,
    args: (port) => (port === undefined ? [] : [`${port}`]),
    env: { GREETING: "hello" },
    logFile: join(folder, "echo.log"),
    ...more,
  };
}

describe("a service process", () => {
  it("is restarted on the same port when it dies, and reports how it died", async () => {
    using folder = temporaryFolder();
    const deaths: string[] = [];
    await using service = await startServiceProcess(
      optionsIn(folder.path, { onDeath: (name, how) => deaths.push(`${name} ${how}`) }),
    );
    const { address } = service;
    const first = service.processId;
    const socket = connect(Number(address.split(":")[1]), "127.0.0.1", () => socket.write("x"));
    socket.on("error", () => {});
    await waitUntil(() => service.processId !== first && service.processId !== undefined);
    await service.listening();
    expect(service.address).toBe(address);
    await service.kill();
    await service.listening();
    expect(deaths).toEqual(["echo exit code 7", "echo SIGKILL"]);
    expect(service.address).toBe(address);
  });

  it("serves metrics on a port that stays the same", async () => {
    using folder = temporaryFolder();
    const options = optionsIn(folder.path, { metrics: true, args: (port) => [`${port ?? 0}`] });
    // Its metrics port is the given one, or 4711.
    writeFileSync(
      options.main,
      `${program}
const [flag, port] = process.argv.slice(3);
setTimeout(() => console.log("metrics on 127.0.0.1:" + (flag === "--metrics-port" && Number(port) || 4711)), 100);`,
    );
    await using service = await startServiceProcess(options);
    expect(service.metricsAddress).toBe("127.0.0.1:4711");
    writeFileSync(options.main, readFileSync(options.main, "utf8").replace("4711", "4712"));
    await service.kill();
    await service.listening();
    expect(service.metricsAddress).toBe("127.0.0.1:4711");
  });

  it("ends on SIGTERM, also if stopped twice, and is not restarted", async () => {
    using folder = temporaryFolder();
    const deaths: string[] = [];
    const service = await startServiceProcess(
      optionsIn(folder.path, { onDeath: (_, how) => deaths.push(how) }),
    );
    await Promise.all([service.stop(), service.stop()]);
    expect(service.processId).toBeUndefined();
    expect(deaths).toEqual([]);
    expect(readFileSync(join(folder.path, "echo.log"), "utf8")).toContain("a line of the log, hello");
  });

  it("that cannot start rejects with its last lines", async () => {
    using folder = temporaryFolder();
    const options = optionsIn(folder.path);
    writeFileSync(options.main, `console.error("no such flag"); process.exit(2);`);
    await expect(startServiceProcess(options)).rejects.toThrow(/echo ended with exit code 2:\nno such flag/);
  });

  it("cancels a start on request, and leaves no process", async () => {
    using folder = temporaryFolder();
    const stopping = new AbortController();
    const processIds: number[] = [];
    const options = optionsIn(folder.path, {
      signal: stopping.signal,
      onStart: (_, processId) => processIds.push(processId),
    });
    // It waits for something before it listens.
    writeFileSync(options.main, `console.error("waiting"); setInterval(() => {}, 1000);`);
    const starting = startServiceProcess(options);
    await waitUntil(() =>
      readFileSync(options.logFile, { encoding: "utf8", flag: "a+" }).includes("waiting"),
    );
    stopping.abort(new Error("stopped by a signal"));
    await expect(starting).rejects.toThrow("stopped by a signal");
    expect(() => process.kill(processIds[0] ?? 0, 0)).toThrow("ESRCH");
    await expect(startServiceProcess(options)).rejects.toThrow("stopped by a signal");
    expect(processIds).toHaveLength(1);
  });

  it("reports each process id, for the clean-up", async () => {
    using folder = temporaryFolder();
    const processIds: number[] = [];
    await using service = await startServiceProcess(
      optionsIn(folder.path, { onStart: (_, processId) => processIds.push(processId) }),
    );
    await service.kill();
    await service.listening();
    expect(processIds.length).toBe(2);
    expect(processIds.at(-1)).toBe(service.processId);
  });
});
