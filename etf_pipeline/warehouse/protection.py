"""Protection: what the registry remembers of the warehouse's key, so that files in clear and encrypted ones are never mixed.

A warehouse is encrypted from its first file on, or from a `rekey` on. The layout number then rises, so that an older version
of the project, which knows no key, refuses the registry and writes nothing in clear.
"""

from __future__ import annotations

import sqlite3

from etf_pipeline.errors import WarehouseError
from etf_pipeline.secrets import NEW_WAREHOUSE_KEY, WAREHOUSE_KEY, Secret
from etf_pipeline.warehouse.registry import ENCRYPTED_LAYOUT, LAYOUT, Registry
from etf_pipeline.warehouse.vault import PLAIN, Vault, key_id_of, key_of


def vault_of(registry: Registry, secret: Secret | None) -> Vault:
    """The vault of a warehouse, opened with its key if there is one; a warehouse without files takes the key as its own.

    Raises
    ------
    WarehouseError
        If the key is another than the files', or the files are in clear.
    """
    key = key_of(secret) if secret else None
    with registry.read() as db:
        stored = protection(db)
    if key is None:
        return Vault(None, stored)
    if stored == PLAIN:
        stored = _adopt(registry, key_id_of(key))
    if stored != key_id_of(key):
        raise WarehouseError(
            f"{registry.home} is encrypted under key {stored}; {WAREHOUSE_KEY} holds key {key_id_of(key)}. "
            "Set the key that it was made with, or set ETF_HOME to the home you mean."
        )
    return Vault(key, stored)


def protection(db: sqlite3.Connection) -> str:
    """Id of the key that every file is encrypted with, or `PLAIN`."""
    if db.execute("pragma user_version").fetchone()[0] < ENCRYPTED_LAYOUT:
        return PLAIN
    return str(db.execute("select key_id from protection").fetchone()[0])


def protect(db: sqlite3.Connection, key_id: str) -> None:
    """Remember another key, inside the caller's transaction."""
    db.execute("drop table if exists protection")
    if key_id != PLAIN:
        db.execute("create table protection(key_id text not null)")
        db.execute("insert into protection values (?)", (key_id,))
    db.execute(f"pragma user_version={LAYOUT if key_id == PLAIN else ENCRYPTED_LAYOUT}")


def require_same(db: sqlite3.Connection, vault: Vault) -> None:
    """Refuse files of a process that opened the warehouse before its protection changed.

    Raises
    ------
    WarehouseError
        If the registry remembers another key than the vault's.
    """
    if (stored := protection(db)) != vault.key_id:
        raise WarehouseError(
            f"the warehouse is now {_said(stored)}, and was {_said(vault.key_id)} when this process opened it. Nothing was "
            f"changed; set {WAREHOUSE_KEY} accordingly and start the run again."
        )


def _adopt(registry: Registry, key_id: str) -> str:
    with registry.write() as db:
        stored = protection(db)
        if stored != PLAIN:
            return stored
        files = db.execute("select count(*) from files").fetchone()[0]
        if files:
            raise WarehouseError(
                f"{registry.home} holds {files} files in clear, and {WAREHOUSE_KEY} is set. Encrypt them (`etf rekey`, with "
                f"the key in {NEW_WAREHOUSE_KEY} and {WAREHOUSE_KEY} unset), or unset it to go on in clear."
            )
        protect(db, key_id)
    return key_id


def _said(key_id: str) -> str:
    return "in clear" if key_id == PLAIN else f"encrypted under key {key_id}"
