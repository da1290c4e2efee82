"""The queue: one after the other, cancelled at any moment, taken up after a kill."""

import threading
import time

import pytest

from gdp.studio.jobs import store
from gdp.studio.jobs.hands import DiedError
from gdp.studio.jobs.line import DIED, Line, Live
from gdp.studio.jobs.store import Store

ME = "m" * 43


class Puppet:
    """Hands that do what a test says, when it lets them."""

    def __init__(self, end=None):
        self.go, self.asked, self.result = threading.Event(), [], end or {}

    def start(self):
        pass

    def ask(self, request, on_event, stop):
        self.asked.append(request["job"])
        on_event({"event": "progress", "share": 0.5, "left": 60.0})
        on_event({"event": "photo", "photo": {"name": "a", "state": "done"}})
        on_event({"event": "say", "text": "a: well"})
        while not self.go.is_set() and not stop.is_set():
            time.sleep(0.005)
        if isinstance(self.result, Exception):
            raise self.result
        return {"stopped": True} if stop.is_set() else self.result


def line_of(tmp_path, *hands):
    """A queue with such hands, and its jobs."""
    jobs = Store(tmp_path)
    line = Line(jobs, tmp_path / "log")
    line.hands = list(hands)
    return line, jobs


def job_of(jobs):
    job = jobs.new(ME)
    job.files = ["a.png"]
    jobs.save(job)
    return job


def until(true):
    """Wait for something."""
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


def state(jobs, job):
    return jobs.get(job.id, ME).state


def test_one_after_the_other(tmp_path):
    puppet = Puppet()
    line, jobs = line_of(tmp_path, puppet)
    first, second, third = (job_of(jobs) for _ in range(3))
    line.start()
    for job in (first, second, third):
        line.submit(job, ["task=auto"])
    until(lambda: state(jobs, first) == store.RUNNING)
    assert [line.place(job.id) for job in (second, third)] == [0, 1]
    assert state(jobs, third) == store.QUEUED
    assert line.cancelled(second).state == store.CANCELLED
    puppet.go.set()
    until(lambda: state(jobs, third) == store.DONE)
    assert len(puppet.asked) == 2
    known = jobs.get(first.id, ME)
    assert (known.photos["a"]["state"], known.remarks) == ("done", ["a: well"])


def test_what_runs_is_cancelled(tmp_path):
    line, jobs = line_of(tmp_path, Puppet())
    job = job_of(jobs)
    line.start()
    line.submit(job, ["task=auto"])
    until(lambda: state(jobs, job) == store.RUNNING)
    assert line.cancelled(job).state == store.CANCELLED


@pytest.mark.parametrize(
    ("end", "error"), [({"error": "no picture"}, "no picture"), (DiedError(), DIED)]
)
def test_what_fails_is_told(tmp_path, end, error):
    puppet = Puppet(end)
    puppet.go.set()
    line, jobs = line_of(tmp_path, puppet)
    job = job_of(jobs)
    line.start()
    line.submit(job, ["task=auto"])
    until(lambda: state(jobs, job) == store.FAILED)
    assert jobs.get(job.id, ME).error == error


def test_a_killed_servers_jobs_go_on(tmp_path):
    jobs = Store(tmp_path)
    running, done = job_of(jobs), job_of(jobs)
    running.state, running.words, running.key = store.RUNNING, ["task=auto"], "k"
    done.state = store.DONE
    for job in (running, done):
        jobs.save(job)

    puppet = Puppet()
    puppet.go.set()
    line, jobs = line_of(tmp_path, puppet)
    line.start()
    until(lambda: state(jobs, running) == store.DONE)
    assert puppet.asked == [str(jobs.folder(running))]


def test_the_time_that_is_left():
    live = Live()
    assert live.left() is None
    live.over = time.monotonic() + 60
    assert live.left() == pytest.approx(60, abs=1)
    live.over = 0.0
    assert live.left() == 0
