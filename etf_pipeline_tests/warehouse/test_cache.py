from __future__ import annotations

import os
import time

import numpy as np
import pyarrow as pa
import pytest

from etf_pipeline.errors import WarehouseError
from etf_pipeline.warehouse import Cache

TABLE = pa.table({"x": np.random.default_rng(7).random(1000)})


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache")


def only_file(cache):
    (path,) = (path for path in cache.root.rglob("*") if path.is_file())
    return path


def test_a_piece_is_found_under_its_kind_and_key_alone(cache):
    assert cache.get("window", "a1") is None
    cache.put("window", "a1", TABLE)
    assert cache.get("window", "a1").equals(TABLE)
    assert cache.get("window", "a2") is None
    assert cache.get("garch", "a1") is None


def test_putting_again_replaces(cache):
    cache.put("window", "a1", TABLE)
    cache.put("window", "a1", TABLE.slice(5))
    assert cache.get("window", "a1").equals(TABLE.slice(5))


@pytest.mark.parametrize("damage", [lambda b: b[:50], lambda b: b"", lambda b: b[:4000] + bytes([b[4000] ^ 1]) + b[4001:]])
def test_a_damaged_piece_is_a_miss_and_is_removed(cache, damage):
    cache.put("window", "a1", TABLE)
    path = only_file(cache)
    path.write_bytes(damage(path.read_bytes()))
    assert cache.get("window", "a1") is None
    assert not path.exists()


def test_pieces_go_by_the_age_of_their_last_use(cache):
    old = time.time() - 100 * 86_400
    for key in ("used", "unused"):
        cache.put("window", key, TABLE)
        os.utime(cache.root / "window" / f"{key}.parquet", (old, old))
    cache.get("window", "used")
    assert cache.gc(keep_days=90) == 1
    assert cache.get("window", "used") is not None
    assert cache.get("window", "unused") is None


def test_the_warehouse_collects_its_cache_and_old_litter(warehouse):
    warehouse.cache.put("window", "a1", TABLE)
    litter = warehouse.home / "cache" / "window" / ".a1-00.tmp"
    litter.write_bytes(b"half")
    os.utime(litter, (0, 0))
    warehouse.gc()
    assert not litter.exists()
    assert warehouse.cache.get("window", "a1").equals(TABLE)


@pytest.mark.parametrize(("kind", "key"), [("../x", "a"), ("x", "a/b"), ("", "a"), ("x", "a.b")])
def test_a_key_cannot_leave_its_folder(cache, kind, key):
    with pytest.raises(WarehouseError, match="Pass a hash"):
        cache.put(kind, key, TABLE)
