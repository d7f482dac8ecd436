# Prints each message of a WebSocket as a line of JSON. aiohttp asks for compression.
import asyncio
import json
import sys

import aiohttp


async def main(url):
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url, compress=15, max_msg_size=0) as ws:
            async for message in ws:
                print(json.dumps(message.data), flush=True)


asyncio.run(main(sys.argv[1]))
