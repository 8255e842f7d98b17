"""A TCP proxy that harms what passes: for any protocol, in either direction."""

import socket
import struct
import threading
import time
from dataclasses import dataclass

TO_SERVER, TO_CLIENT = "to the server", "to the client"


@dataclass
class Harm:
    """After `after` bytes in `direction`, over all connections:
    cut         both sides are closed, in the middle of a packet
    reset       both sides are reset
    truncate    that direction ends; the other stays open
    black hole  nothing passes any more in either direction, and nobody is told
    From the first byte on:
    delay       each piece waits for `seconds`
    throttle    `rate` bytes a second pass"""

    kind: str
    direction: str = TO_CLIENT
    after: int = 0
    seconds: float = 0
    rate: int = 0
    once: bool = False  # heals itself


class Wire:
    def __init__(self, host, port, harm=None):
        self.harm, self.hits = harm, 0
        self._there, self._passed = (host, port), {TO_SERVER: 0, TO_CLIENT: 0}
        self._lock = threading.Lock()
        self._swallowing = set()  # connections that a black hole took, for ever
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()

    def heal(self):
        self.harm = None

    def passed(self, direction):
        return self._passed[direction]

    def _accept(self):
        number = 0
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            number += 1
            try:
                far = socket.create_connection(self._there)
            except OSError:
                near.close()
                continue
            for source, sink, direction in ((near, far, TO_SERVER), (far, near, TO_CLIENT)):
                threading.Thread(target=self._carry, args=(number, source, sink, direction), daemon=True).start()

    def _carry(self, number, source, sink, direction):
        try:
            while data := source.recv(16384):
                if not self._pass(number, data, source, sink, direction):
                    return
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(source, sink)

    def _pass(self, number, data, source, sink, direction):
        """False: no more of this direction."""
        harm = self.harm
        if number in self._swallowing:
            return True
        with self._lock:
            before = self._passed[direction]
            self._passed[direction] += len(data)
        if harm is None or harm.direction != direction:
            sink.sendall(data)
            return True
        if harm.kind in ("delay", "throttle"):
            self.hits += 1
            time.sleep(harm.seconds if harm.kind == "delay" else len(data) / harm.rate)
            sink.sendall(data)
            return True
        if before + len(data) <= harm.after:
            sink.sendall(data)
            return True
        self.hits += 1
        if harm.once:
            self.harm = None
        sink.sendall(data[:max(0, harm.after - before)])
        if harm.kind == "black hole":
            self._swallowing.add(number)
            return True
        if harm.kind == "truncate":
            sink.shutdown(socket.SHUT_WR)
            while source.recv(16384):
                pass
            return False
        self._close(source, sink, reset=harm.kind == "reset")
        return False

    @staticmethod
    def _close(*sockets, reset=False):
        for each in sockets:
            try:
                if reset:
                    # Whoever waits in recv would keep the connection open: first he is woken.
                    each.shutdown(socket.SHUT_RD)
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    each.close()
                else:
                    each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
