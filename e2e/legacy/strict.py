# The guide's program with handlers of exactly one argument, for each of its clients: "job_id" or "job_id,transport". Prints
# every event as the client's number and a JSON line, in each client's order of arrival.
import json
import sys
import threading

import engineio
import socketio

from strict_events import EVENTS

url, *clients = sys.argv[1:]


class InOrder(engineio.Client):
    # The library starts a thread for each message, and threads may overtake each other.
    def _trigger_event(self, event, *args, **kwargs):
        return super()._trigger_event(event, *args, **{**kwargs, "run_async": False})


class Client(socketio.Client):
    # To reconnect, the library waits a second for the answer to CONNECT. A busy machine takes longer.
    def connect(self, *args, **kwargs):
        return super().connect(*args, **{"wait_timeout": 60, **kwargs})

    def _engineio_client_class(self):
        return InOrder


def start(number, job_id, transports):
    sio = Client(reconnection_delay=0.1, reconnection_delay_max=0.2)

    def tell(*what):
        # In one piece: the threads of the others print too.
        sys.stdout.write(f"{number} {json.dumps(what)}\n")
        sys.stdout.flush()

    def listen(name):
        @sio.on(name)
        def on_event(data):
            tell(name, data)

    @sio.event
    def connect():
        tell("connect")
        sio.emit("subscribe:job", {"job_id": job_id})

    @sio.event
    def disconnect():
        tell("disconnect")

    for name in EVENTS:
        listen(name)

    def run():
        sio.connect(url, transports=transports or None)
        sio.wait()

    threading.Thread(target=run).start()


for number, client in enumerate(clients):
    job_id, *transports = client.split(",")
    start(number, job_id, transports)
