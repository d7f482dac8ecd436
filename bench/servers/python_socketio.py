"""python-socketio's ASGI server with a room, as in its documentation. Each line of input is a burst of messages."""

import asyncio
import json
import sys

import socketio
import uvicorn

port, job_id = int(sys.argv[1]), sys.argv[2]
sio = socketio.AsyncServer(async_mode="asgi", ping_interval=3600)


@sio.on("subscribe:job")
async def subscribe(sid, data):
    # Coroutines in newer versions, plain functions in older ones.
    entered = sio.enter_room(sid, data["job_id"])
    if entered is not None:
        await entered
    await sio.emit("subscribed", data, to=sid)


async def main():
    # No pings, as everywhere in the bench: the lightweight client does not answer them.
    config = uvicorn.Config(
        socketio.ASGIApp(sio), port=port, log_level="error", ws_ping_interval=None
    )
    server = asyncio.ensure_future(uvicorn.Server(config).serve())
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=2**24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async for line in reader:
        for payload in json.loads(line):
            await sio.emit("job:update", payload, room=job_id)
        print("emitted", flush=True)
    server.cancel()


asyncio.run(main())
