"""A TLS proxy for tests: .tls_proxy.py LISTEN_PORT PLAIN_PORT CERTIFICATE KEY, both on 127.0.0.1."""

import asyncio
import ssl
import sys


async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except (ConnectionError, ssl.SSLError):
        pass
    finally:
        writer.close()


async def main():
    listen_port, plain_port = int(sys.argv[1]), int(sys.argv[2])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3], sys.argv[4])

    async def carry(reader, writer):
        plain_reader, plain_writer = await asyncio.open_connection("127.0.0.1", plain_port)
        await asyncio.gather(pump(reader, plain_writer), pump(plain_reader, writer))

    server = await asyncio.start_server(carry, "127.0.0.1", listen_port, ssl=context)
    await server.serve_forever()


asyncio.run(main())
