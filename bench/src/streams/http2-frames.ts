// As much of HTTP/2 as a client needs that sends many small streams and must cost far less than the server it measures.

/** The kinds of frames that are sent or read. */
export const frameTypes = {
  data: 0,
  headers: 1,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
} as const;

/** Flags of frames. */
export const frameFlags = { ack: 1, endStream: 1, endHeaders: 4 } as const;

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const headBytes = 9;

/** A frame as it was received; `payload` is valid only until the reader returns. */
export type Http2Frame = {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
};

/** Encodes a frame. */
export function encodeFrame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(headBytes + payload.length);
  frame.writeUIntBE(payload.length, 0, 3);
  frame[3] = type;
  frame[4] = flags;
  frame.writeUInt32BE(stream, 5);
  frame.set(payload, headBytes);
  return frame;
}

/** Returns the first bytes of a connection: the preface and settings without a value. */
export function connectionPreface(): Buffer {
  return Buffer.concat([Buffer.from(preface), encodeFrame(frameTypes.settings, 0, 0, Buffer.alloc(0))]);
}

/** Returns a reader of received bytes, which calls back for each complete frame. */
export function createFrameReader(onFrame: (frame: Http2Frame) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (bytes.length - at >= headBytes) {
      const length = bytes.readUIntBE(at, 3);
      const end = at + headBytes + length;
      if (bytes.length < end) break;
      onFrame({
        type: bytes[at + 3]!,
        flags: bytes[at + 4]!,
        stream: bytes.readUInt32BE(at + 5) & 0x7fffffff,
        payload: bytes.subarray(at + headBytes, end),
      });
      at = end;
    }
    rest = bytes.subarray(at);
  };
}

/** Indexes of names in the static table of HPACK, and of whole fields. */
const fields = { methodPost: 0x83, schemeHttp: 0x86, path: 4, authority: 1, contentType: 31 } as const;

/** Returns the header block of a gRPC call: the same bytes for every call, because nothing of it is indexed. */
export function grpcHeaderBlock(path: string, authority: string): Buffer {
  return Buffer.concat([
    Buffer.from([fields.methodPost, fields.schemeHttp, fields.path]),
    text(path),
    Buffer.from([fields.authority]),
    text(authority),
    // The name's index does not fit into the four bits of a field that is not indexed.
    Buffer.from([0x0f, fields.contentType - 15]),
    text("application/grpc"),
    Buffer.from([0]),
    text("te"),
    text("trailers"),
  ]);
}

/** A text of HPACK without Huffman's code. */
function text(value: string): Buffer {
  if (value.length > 126) throw new RangeError(`longer than one byte can state: ${value}`);
  return Buffer.concat([Buffer.from([value.length]), Buffer.from(value, "latin1")]);
}

/** Returns a gRPC message with its prefix. */
export function grpcMessage(message: Uint8Array): Buffer {
  const prefixed = Buffer.alloc(5 + message.length);
  prefixed.writeUInt32BE(message.length, 1);
  prefixed.set(message, 5);
  return prefixed;
}
