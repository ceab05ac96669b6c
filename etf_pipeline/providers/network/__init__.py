"""What every network source needs: one request at a time, paced, retried with jitter, and kept until the fetch is whole.

`Transport` is the only door to a socket, and it is injected: a test puts a loopback server or a recorded reply behind it. A
secret enters a request apart from its other parameters and is shown nowhere: not in an error, not in a log, not in `repr`.
"""

from etf_pipeline.providers.network.client import Client
from etf_pipeline.providers.network.retry import Retries
from etf_pipeline.providers.network.spool import Spool
from etf_pipeline.providers.network.throttle import TokenBucket
from etf_pipeline.providers.network.transport import Reply, Request, Transport, requests_transport

__all__ = [
    "Client",
    "Reply",
    "Request",
    "Retries",
    "Spool",
    "TokenBucket",
    "Transport",
    "requests_transport",
]
