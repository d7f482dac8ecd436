# Sends an unknown event and prints the refusal as UTF-8, as programs do that log or store it.
import sys

import socketio

url, name = sys.argv[1:]
sio = socketio.Client()


@sio.event
def connect():
    sio.emit(name, {})


@sio.on("subscription:error")
def on_refused(data):
    sys.stdout.buffer.write((data["message"] + "\n").encode("utf-8"))


sio.connect(url)
sio.wait()
