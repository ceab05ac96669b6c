"""Pages of the dashboard: each shows one `Chosen` run and strategy, and asks everything through `queries`."""
