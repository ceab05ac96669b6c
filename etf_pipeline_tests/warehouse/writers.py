"""What other processes do to a warehouse while a test watches; forked from a server that has the imports ready."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import resource
import signal
import threading
from pathlib import Path

import numpy as np
import pyarrow as pa

from etf_pipeline.errors import Conflict, WarehouseError
from etf_pipeline.warehouse import Warehouse

ROWS = 20_000
PAIR = (("core", "left"), ("core", "right"))
COUNTER = ("core", "counter")

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["etf_pipeline.warehouse"])


def numbered(i: int, rows: int = ROWS) -> pa.Table:
    """A table that says of every row which version it belongs to."""
    return pa.table({"noise": np.random.default_rng(i).random(rows), "version": np.full(rows, i)})


def say(journal: Path, words: str) -> None:
    """Acknowledge something in a way that a kill cannot take back."""
    descriptor = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{words}\n".encode())
    os.close(descriptor)


def write_until_killed(home: Path, journal: Path, first: int, word: str, delay: float) -> None:
    """Run after run: two tables in one commit, then publish; SIGKILL comes `delay` seconds after `word`.

    The killer is a thread of the same process, so that a busy machine does not move the kill into another part of the work.
    """
    killer = threading.Timer(delay, os.kill, (os.getpid(), signal.SIGKILL))

    def reach(place: str, i: int) -> None:
        say(journal, f"{place} {i}")
        if place == word and i > first and not killer.ident:  # `first` was begun by the one before: a retry, mostly no work
            killer.start()

    warm_up(home.parent / f"warm-up-{os.getpid()}")
    warehouse = Warehouse(home)
    for i in itertools.count(first):
        run_id = f"run-{i}"
        warehouse.begin_run(run_id)
        reach("began", i)
        staged = [warehouse.stage(*name, numbered(i)) for name in PAIR]
        warehouse.commit(run_id, "step", staged)
        reach("committed", i)
        warehouse.finish_run(run_id, succeeded=True)
        reach("finished", i)
        warehouse.publish(run_id)
        reach("published", i)


def warm_up(home: Path) -> None:
    """Load what the libraries load at first use, so that a kill soon after the start meets the warehouse at work."""
    warehouse = Warehouse(home)
    warehouse.begin_run("warm-up")
    warehouse.commit("warm-up", "step", [warehouse.stage(*PAIR[0], numbered(0, rows=10))])
    warehouse.finish_run("warm-up", succeeded=True)
    warehouse.publish()


def count_up(home: Path, times: int, barrier: multiprocessing.synchronize.Barrier) -> None:
    """Add one to a shared counter, `times` times; whoever loses the race reads again."""
    warehouse = Warehouse(home)
    barrier.wait()
    for done in range(times):
        for attempt in itertools.count():
            run_id = f"{os.getpid()}-{done}-{attempt}"
            warehouse.begin_run(run_id)
            head = warehouse.head(*COUNTER, run_id)
            assert head is not None
            value = warehouse.read_version(head).column("value")[0].as_py()
            staged = warehouse.stage(*COUNTER, pa.table({"value": [value + 1], "pid": [os.getpid()]}))
            try:
                warehouse.commit(run_id, "count", [staged], expect={COUNTER: head.commit_id})
            except Conflict:
                warehouse.finish_run(run_id, succeeded=False)
                continue
            warehouse.finish_run(run_id, succeeded=True)
            break
        if done % 5 == 0:
            warehouse.publish()


def write_under_a_file_limit(home: Path, journal: Path) -> None:
    """Meet a disk that refuses large files, then go on with small ones."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
    warehouse = Warehouse(home)
    warehouse.begin_run("limited")
    try:
        warehouse.stage("core", "left", numbered(1, rows=500_000))
    except WarehouseError as error:
        say(journal, f"refused {error}")
    warehouse.commit("limited", "small", [warehouse.stage("core", "left", numbered(2, rows=10))])
    warehouse.finish_run("limited", succeeded=True)
    say(journal, "went on")
