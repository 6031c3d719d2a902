import { create, toBinary } from "@bufbuild/protobuf";
import { StatusSchema } from "@devicemesh/proto/es/google/rpc/status_pb.ts";
import { Metadata, type ServiceError } from "@grpc/grpc-js";
import { toStatus } from "./rpc-error.ts";

/**
 * Returns an error that a grpc-js handler may pass to its callback, or emit on its stream. Its details are sent as a
 * google.rpc.Status in the trailer `grpc-status-details-bin`. Never throws; foreign errors are INTERNAL with a fixed
 * text, and the original is in `cause` for the log.
 */
export function toGrpcServiceError(error: unknown): ServiceError {
  const { code, message, details } = toStatus(error);
  const metadata = new Metadata();
  if (details.length > 0) {
    const status = toBinary(StatusSchema, create(StatusSchema, { code, message, details }));
    metadata.set("grpc-status-details-bin", Buffer.from(status));
  }
  return Object.assign(new Error(message, { cause: error }), { code, details: message, metadata });
}
