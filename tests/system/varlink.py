"""A small Varlink client: what a script of a user would do, and nothing of holdfast's own code."""
import json
import socket


class VarlinkError(Exception):
    def __init__(self, error, parameters):
        super().__init__(f"{error} {parameters}")
        self.error = error
        self.parameters = parameters


class Client:
    """One connection to a control socket."""

    def __init__(self, path, timeout=20):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, method, parameters=None, **flags):
        message = {"method": method, "parameters": parameters or {}, **flags}
        self.socket.sendall(json.dumps(message).encode() + b"\0")

    def receive(self):
        while b"\0" not in self.buffer:
            piece = self.socket.recv(65536)
            if not piece:
                raise EOFError("the daemon hung up")
            self.buffer += piece
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def reply(self):
        message = self.receive()
        if "error" in message:
            raise VarlinkError(message["error"], message.get("parameters", {}))
        return message.get("parameters", {}), message.get("continues", False)

    def call(self, method, parameters=None):
        self.send(full(method), parameters)
        return self.reply()[0]

    def stream(self, method, parameters=None):
        self.send(full(method), parameters, more=True)
        continues = True
        while continues:
            parameters, continues = self.reply()
            yield parameters


def full(method):
    return method if "." in method else "io.holdfast.Control." + method


def call(path, method, parameters=None, timeout=20):
    with Client(path, timeout) as client:
        return client.call(method, parameters)


def stream(path, method, parameters=None, timeout=20):
    with Client(path, timeout) as client:
        yield from client.stream(method, parameters)
