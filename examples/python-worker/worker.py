"""A worker of Jobwire: runs jobs of the kind "checksums". It needs Python 3.8 or later, and `requests`:
JOBWIRE_URL=http://localhost:8000 JOBWIRE_KEY=... python3 worker.py
"""
import hashlib
import os
import signal
import threading
import time

import requests

API = os.environ.get("JOBWIRE_URL", "http://localhost:8000") + "/api/v1/work"
HEADERS = {"Authorization": "Bearer " + os.environ["JOBWIRE_KEY"]} if "JOBWIRE_KEY" in os.environ else None
LEASE_MS = int(os.environ.get("LEASE_MS", "30000"))


class Lost(BaseException):
    """The job is not this worker's any more: cancelled, or given to another one. No code of a kind is to catch it."""


def call(path, body, pause=1):
    """Repeats a call until it is answered. The server answers a repeated call as the first one."""
    while True:
        try:
            answer = requests.post(API + path, json=body, headers=HEADERS, timeout=45)
            if answer.status_code == 409:
                raise Lost(answer.json()["detail"])
            if answer.ok:
                return answer.json()
            if answer.status_code < 500 and answer.status_code != 429:
                raise ValueError(answer.json()["detail"])
            pause = float(answer.headers.get("Retry-After", pause))
        except (requests.ConnectionError, requests.Timeout):
            pass
        time.sleep(pause)
        pause = min(2 * pause, 30)


class Job:
    def __init__(self, given):
        self.id, self.kind, self.input = given["jobId"], given["kind"], given["input"]
        self.token, self.lost, self.over = given["token"], None, threading.Event()
        threading.Thread(target=self.renew, daemon=True).start()

    def tell(self, what, **body):
        if self.lost:
            raise self.lost
        answer = call(f"/jobs/{self.id}/{what}", {"token": self.token, **body})
        if answer["cancelled"]:
            raise Lost("The job was cancelled")

    def renew(self):
        try:
            while not self.over.wait(LEASE_MS / 3000):
                self.tell("renew")
        except Lost as lost:
            self.lost = lost  # The next call of `tell` ends the job.


def checksums(job):
    texts, sums = job.input["texts"], []
    for text in texts:
        sums.append(hashlib.sha256(text.encode()).hexdigest())
        done, of = len(sums), len(texts)
        job.tell("progress", percent=99 * done // of, message=f"{done} done", details={"done": done, "of": of})
        time.sleep(0.05)  # Larger texts would take this time.
    return sums


KINDS = {"checksums": checksums}


def outcome(job):
    """Runs the code of the kind. Errors of the network and of files may pass, so the job is tried again after them."""
    try:
        return "deliver", {"output": KINDS[job.kind](job)}
    except Exception as error:
        may_pass = isinstance(error, OSError)
        return "fail", {"code": type(error).__name__, "message": str(error)[:2000], "retry": may_pass}


def run(job):
    try:
        what, body = outcome(job)
        job.tell(what, **body)
        print(what, job.id)
    except Lost as lost:
        print("left", job.id, lost)
    except KeyboardInterrupt:
        job.tell("release")
        raise
    finally:
        job.over.set()


signal.signal(signal.SIGTERM, signal.default_int_handler)
while True:
    for found in call("/claims", {"kinds": list(KINDS), "leaseMs": LEASE_MS})["jobs"]:
        run(Job(found))
