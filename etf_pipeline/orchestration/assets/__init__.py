"""One file per room: which tables it makes, from which. Importing this package fills `RECIPES`."""
