# `strict.py` for asyncio.
import asyncio
import json
import sys

import socketio

from strict_events import EVENTS

url, *clients = sys.argv[1:]


class AsyncClient(socketio.AsyncClient):
    # To reconnect, the library waits a second for the answer to CONNECT. A busy machine takes longer.
    async def connect(self, *args, **kwargs):
        return await super().connect(*args, **{"wait_timeout": 60, **kwargs})


async def run(number, job_id, transports):
    sio = AsyncClient(reconnection_delay=0.1, reconnection_delay_max=0.2)

    def tell(*what):
        print(f"{number} {json.dumps(what)}", flush=True)

    def listen(name):
        @sio.on(name)
        async def on_event(data):
            tell(name, data)

    @sio.event
    async def connect():
        tell("connect")
        await sio.emit("subscribe:job", {"job_id": job_id})

    @sio.event
    async def disconnect():
        tell("disconnect")

    for name in EVENTS:
        listen(name)

    await sio.connect(url, transports=transports or None)
    # `sio.wait()` returns early if a reconnection takes less than a second.
    await asyncio.Event().wait()


async def main():
    given = [client.split(",") for client in clients]
    await asyncio.gather(*(run(number, job_id, ways) for number, (job_id, *ways) in enumerate(given)))


asyncio.run(main())
