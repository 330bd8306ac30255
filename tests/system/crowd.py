"""A TLS server for crowds, as a process of its own so that it can be killed, stopped or cut off.

    crowd.py CERTIFICATE KEY HOST      prints its port, serves until it is ended; SIGUSR1 resets every connection
"""
import asyncio
import signal
import socket
import ssl
import struct
import sys


async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    writers = set()

    async def serve(reader, writer):
        writers.add(writer)
        try:
            await reader.read(1)
        except OSError:
            pass
        writers.discard(writer)
        writer.close()

    def reset_all():
        for writer in list(writers):
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, reset_all)
    server = await asyncio.start_server(serve, sys.argv[3], 0, ssl=context, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
