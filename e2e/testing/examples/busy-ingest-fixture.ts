import {
  type IngestServiceServer,
  IngestServiceService,
  type PublishReadingsRequest,
} from "@devicemesh/proto/tsproto/devicemesh/v1/ingest_service.ts";
import { Server, ServerCredentials, status } from "@grpc/grpc-js";

/**
 * For tests: an ingest that is unavailable for the first units and then accepts them, and records the device ids of
 * each unit.
 */
export async function startBusyIngest({ refuseFirst }: { readonly refuseFirst: number }) {
  const units: string[][] = [];
  const implementation: Pick<IngestServiceServer, "publishReadings"> = {
    publishReadings(call, callback) {
      const deviceIds: string[] = [];
      call.on("data", ({ readings }: PublishReadingsRequest) => {
        deviceIds.push(...readings.map(({ deviceId }) => deviceId));
      });
      call.on("end", () => {
        units.push(deviceIds);
        if (units.length <= refuseFirst)
          callback({ code: status.UNAVAILABLE, details: "the log is unavailable" });
        else callback(null, { accepted: BigInt(deviceIds.length), refused: 0n, refusedReadings: [] });
      });
    },
  };
  const server = new Server();
  server.addService(IngestServiceService, implementation);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return {
    address: `127.0.0.1:${port}`,
    units,
    [Symbol.dispose]: () => server.forceShutdown(),
  };
}
