"""origin: one origin for pages, scripts of the client, and the broker.

Serves /client/... from the tree and a bare page; passes everything else to the
broker, byte for byte, so that a test can also cut the wire.
"""
import http.server
import os
import socket
import threading

from broker import TOP

TYPES = {".js": "text/javascript", ".html": "text/html"}


class Origin:
    """Serves until it is closed."""

    def __init__(self, broker):
        self.broker = broker
        self.wires = set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def url(self, path):
        return "http://127.0.0.1:%d%s" % (self.port, path)

    def close(self):
        self.listener.close()
        self.cut()

    def cut(self):
        """Cuts every connection with the broker."""
        for wire in list(self.wires):
            for end in wire:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,),
                             daemon=True).start()

    def serve(self, client):
        with client:
            head = b""
            while b"\r\n\r\n" not in head:
                data = client.recv(65536)
                if not data:
                    return
                head += data
            path = head.split(b" ", 2)[1].decode().partition("?")[0]
            if path.startswith("/client/") or path == "/page":
                client.sendall(self.answer(path))
            else:
                # Else the next request on this wire, for a script perhaps,
                # would go to the broker, too.
                self.forward(client, head.replace(
                    b"Connection: keep-alive", b"Connection: close"))

    @staticmethod
    def answer(path):
        body, status = b"<!doctype html><title>page</title>", 200
        if path != "/page":
            file = os.path.normpath(TOP + path)
            if not file.startswith(os.path.join(TOP, "client", "")) or \
                    not os.path.isfile(file):
                status, body = 404, b""
            else:
                with open(file, "rb") as opened:
                    body = opened.read()
        kind = TYPES.get(os.path.splitext(path)[1], "text/html")
        return ("HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n"
                "Connection: close\r\n\r\n" % (
                    status, http.server.BaseHTTPRequestHandler.responses[
                        status][0], kind, len(body))).encode() + body

    def forward(self, client, head):
        """Bytes to and fro until one side ends."""
        try:
            broker = socket.create_connection(("127.0.0.1", self.broker.port))
        except OSError:
            return
        wire = (client, broker)
        self.wires.add(wire)
        with broker:
            broker.sendall(head)
            back = threading.Thread(target=self.pump, args=(broker, client),
                                    daemon=True)
            back.start()
            self.pump(client, broker)
            back.join()
        self.wires.discard(wire)

    @staticmethod
    def pump(source, target):
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
