"""A server of MySQL's protocol in a condition that no test can bring a shared one into: it passes everything on to a
real one, save the statements that a test answers itself. Without TLS: it reads what passes."""

import socket
import struct
import threading

COM_QUERY, COM_STMT_PREPARE, COM_STMT_EXECUTE = 0x03, 0x16, 0x17
CLIENT_SSL, CLIENT_COMPRESS = 0x0800, 0x0020


def refusal(code, message="as the test says"):
    """An ERR packet's payload."""
    return b"\xff" + struct.pack("<H", code) + b"#HY000" + message.encode()


class Closed(Exception):
    """The other side ended it."""


def receive(sock, size):
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        if not piece:
            raise Closed
        data += piece
    return data


def packet(sock):
    """(sequence number, payload)"""
    head = receive(sock, 4)
    return head[3], receive(sock, int.from_bytes(head[:3], "little"))


def send(sock, number, payload):
    sock.sendall(len(payload).to_bytes(3, "little") + bytes([number]) + payload)


class AnsweringServer:
    """`answer(command, text)` gives None (it is passed on), bytes (the payload that is answered) or a str (the
    statement that is passed on instead). At the greeting the command is None; the text of an execution is that of
    what was prepared last."""

    def __init__(self, server, answer):
        self._there, self._answer = (server.host, server.port), answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near):
        with near, socket.create_connection(self._there) as far:
            try:
                if self._greet(near, far):
                    threading.Thread(target=self._back, args=(far, near), daemon=True).start()
                    self._forth(near, far)
            except (Closed, OSError):
                pass

    def _greet(self, near, far):
        """Until the login is accepted; false where the test answered instead."""
        number, greeting = packet(far)
        answer = self._answer(None, "")
        if isinstance(answer, bytes):
            send(near, number, answer)
            return False
        send(near, number, self._plain(greeting))
        while True:
            send(far, *packet(near))
            number, said = packet(far)
            send(near, number, said)
            if said[:1] == b"\xff":
                return False
            if said[:1] == b"\x00":
                return True
            if said == b"\x01\x03":  # caching_sha2_password knows the password: its OK follows unasked
                send(near, *packet(far))
                return True

    @staticmethod
    def _plain(greeting):
        """Without the words for TLS and compression."""
        at = greeting.index(b"\0", 1) + 1 + 4 + 8 + 1
        flags = int.from_bytes(greeting[at:at + 2], "little") & ~(CLIENT_SSL | CLIENT_COMPRESS)
        return greeting[:at] + flags.to_bytes(2, "little") + greeting[at + 2:]

    def _forth(self, near, far):
        prepared = ""
        while True:
            number, payload = packet(near)
            command = payload[0]
            if command in (COM_QUERY, COM_STMT_PREPARE):
                text = payload[1:].decode("utf-8", "surrogateescape")
                prepared = text if command == COM_STMT_PREPARE else prepared
            else:
                text = prepared if command == COM_STMT_EXECUTE else ""
            answer = self._answer(command, text) if text else None
            if isinstance(answer, bytes):
                send(near, number + 1, answer)
            elif answer is None:
                send(far, number, payload)
            else:
                send(far, number, payload[:1] + answer.encode())

    @staticmethod
    def _back(far, near):
        try:
            while data := far.recv(1 << 16):
                near.sendall(data)
            near.shutdown(socket.SHUT_WR)
        except OSError:
            pass
