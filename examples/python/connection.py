"""Where the mesh is and who calls."""

import argparse
from dataclasses import dataclass
from pathlib import Path

import grpc

# A watch may be silent for a long time: pings detect a dead connection.
OPTIONS = [
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.keepalive_timeout_ms", 20_000),
    ("grpc.http2.max_pings_without_data", 0),
]


class ConnectionProblem(Exception):
    """What was given does not make a connection."""


@dataclass(frozen=True)
class Connection:
    """The address, and the files that show who calls."""

    address: str
    ca: Path | None
    token_file: Path | None
    certificate: Path | None
    key: Path | None

    def open(self) -> grpc.Channel:
        """A channel, to be used in a `with`; the first call connects."""
        if self.ca is None:
            if self.token_file or self.certificate or self.key:
                raise ConnectionProblem("--token-file, --cert and --key need --ca: in cleartext no caller can be identified")
            return grpc.insecure_channel(self.address, OPTIONS)
        if (self.certificate is None) != (self.key is None):
            raise ConnectionProblem("--cert and --key go together")
        credentials = grpc.ssl_channel_credentials(
            root_certificates=self.ca.read_bytes(),
            private_key=self.key.read_bytes() if self.key else None,
            certificate_chain=self.certificate.read_bytes() if self.certificate else None,
        )
        if self.token_file:
            token = self.token_file.read_text().strip()
            credentials = grpc.composite_channel_credentials(credentials, grpc.access_token_call_credentials(token))
        return grpc.secure_channel(self.address, credentials, OPTIONS)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of the connection."""
    parser.add_argument("--address", default="127.0.0.1:8080", metavar="HOST:PORT", help="the mesh (%(default)s)")
    parser.add_argument("--ca", type=Path, metavar="FILE", help="CA of the server's certificate (PEM); cleartext without it")
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="a user's token; needs --ca")
    parser.add_argument("--cert", type=Path, metavar="FILE", help="a device's or gateway's certificate (PEM); needs --ca and --key")
    parser.add_argument("--key", type=Path, metavar="FILE", help="that certificate's private key (PEM)")


def from_arguments(arguments: argparse.Namespace) -> Connection:
    """The connection that the flags describe."""
    return Connection(arguments.address, arguments.ca, arguments.token_file, arguments.cert, arguments.key)
