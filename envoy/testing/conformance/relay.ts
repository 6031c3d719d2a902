// The conformance runner starts this as a server under test: it relays requests and responses between the runner and
// the test process, where the servers are. It starts fast, and its end ends them.
import { connect } from "node:net";

const socket = connect(Number(process.argv[2]), "127.0.0.1");
process.stdin.pipe(socket, { end: false });
socket.pipe(process.stdout);
