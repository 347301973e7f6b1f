# SPDX-License-Identifier: MIT
"""proxy.py - a proxy in a thread of the test: CONNECT and plain requests.

It reaches one address only, whatever it is asked for, so that a name which
exists nowhere shows that herald let the proxy look it up.
"""

from __future__ import annotations

import socket
import threading
from typing import Any, List


class Proxy:
    """Use it with `with`; asked holds the first line of each request."""

    def __init__(self, port: int, refusal: bytes = b"") -> None:
        self.asked: List[str] = []
        self._target = port
        self._refusal = refusal
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]

    def __enter__(self) -> "Proxy":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._listener.close()

    @property
    def element(self) -> str:
        return f'<proxy url="http://127.0.0.1:{self.port}"/>'

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,),
                             daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            head = b""
            while b"\r\n\r\n" not in head:
                got = client.recv(65536)
                if not got:
                    return
                head += got
            line = head.split(b"\r\n")[0].decode()
            self.asked.append(line)
            if self._refusal:
                client.sendall(self._refusal)
                return
            with socket.create_connection(("127.0.0.1",
                                           self._target)) as server:
                if line.startswith("CONNECT "):
                    client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
                else:
                    server.sendall(head)
                back = threading.Thread(target=pump, args=(server, client),
                                        daemon=True)
                back.start()
                pump(client, server)
                back.join(5)


def pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while True:
            data = source.recv(65536)
            if not data:
                break
            target.sendall(data)
    except OSError:
        pass
    for one in (source, target):
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
