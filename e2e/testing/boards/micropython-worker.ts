import { pathToFileURL } from "node:url";
import { parentPort, workerData } from "node:worker_threads";
import { type BoardRequest, headerInts } from "./micropython.ts";

/** The part of MicroPython's module that is used here. */
type MicroPython = {
  readonly FS: { mkdirTree(path: string): void; writeFile(path: string, text: string): void };
  registerJsModule(name: string, members: object): void;
  runPython(code: string): unknown;
};

const { program, runtime, shared } = workerData as {
  readonly program: string;
  readonly runtime: string;
  readonly shared: SharedArrayBuffer;
};
const header = new Int32Array(shared, 0, headerInts);
const post = (request: BoardRequest) => parentPort!.postMessage(request);

/** Waits for the answer, as a socket of a board blocks. */
function ask(request: BoardRequest): Uint8Array {
  Atomics.store(header, 0, 0);
  post(request);
  Atomics.wait(header, 0, 0);
  return new Uint8Array(shared, headerInts * 4, header[1]).slice();
}

/** Bytes travel as hexadecimal text; numbers beyond 31 bits as text. */
const board = {
  connect: () => void ask({ kind: "connect" }),
  send: (hex: string) => void ask({ kind: "send", bytes: Buffer.from(hex, "hex") }),
  receive: (count: number) => Buffer.from(ask({ kind: "receive", count })).toString("hex"),
  seconds: () => String(Math.floor(Date.now() / 1000)),
};

/** The clock of an ESP32 counts from 2000. */
const timeModule = `
import board
def time():
    return int(board.seconds()) - 946684800
def sleep(seconds):
    print("slept")
    raise SystemExit(0)
`;

/** The functions of micropython-lib's umqtt.simple that a device needs to publish, over the board's socket. */
const umqttModule = `
import board
from binascii import hexlify, unhexlify

def text(data):
    data = data.encode() if isinstance(data, str) else data
    return bytes([len(data) >> 8, len(data) & 255]) + data

class MQTTClient:
    def __init__(self, client_id, server, port=0):
        self.client_id, self.next_id = client_id, 0

    def send(self, head, body):
        size, sizes = len(body), b""
        while True:
            sizes += bytes([size & 127 | (128 if size > 127 else 0)])
            size >>= 7
            if size == 0:
                break
        board.send(hexlify(head + sizes + body).decode())

    def connect(self):
        board.connect()
        self.send(b"\\x10", text("MQTT") + b"\\x04\\x02\\x00\\x00" + text(self.client_id))
        answer = unhexlify(board.receive(4))
        if answer[0:2] != b"\\x20\\x02" or answer[3] != 0:
            raise OSError("the broker refuses the connection: " + str(answer))

    def publish(self, topic, message, qos=0):
        self.next_id += 1
        packet_id = bytes([self.next_id >> 8, self.next_id & 255])
        message = message.encode() if isinstance(message, str) else message
        self.send(bytes([0x30 | qos << 1]), text(topic) + (packet_id if qos else b"") + message)
        if qos == 1:
            answer = unhexlify(board.receive(4))
            if answer != b"\\x40\\x02" + packet_id:
                raise OSError("no PUBACK: " + str(answer))
            print("PUBACK")
`;

const { loadMicroPython } = (await import(pathToFileURL(runtime).href)) as {
  loadMicroPython(options: object): Promise<MicroPython>;
};
const micro = await loadMicroPython({
  stdout: (text: string) => post({ kind: "print", text }),
  stderr: (text: string) => post({ kind: "print", text }),
});
micro.registerJsModule("board", board);
micro.FS.mkdirTree("/board/umqtt");
micro.FS.writeFile("/board/time.py", timeModule);
micro.FS.writeFile("/board/umqtt/__init__.py", "");
micro.FS.writeFile("/board/umqtt/simple.py", umqttModule);
try {
  micro.runPython("import sys\nsys.path.insert(0, '/board')");
  micro.runPython(program);
  post({ kind: "end", error: undefined });
} catch (error) {
  const { type, message } = error as { readonly type?: string; readonly message: string };
  post({ kind: "end", error: type === "SystemExit" ? undefined : message });
}
