"""A polite HTTP client: paced, retried, and told apart what is worth another attempt."""

from __future__ import annotations

from dataclasses import dataclass, field

from etf_pipeline.errors import ProviderError, SourceUnreachable
from etf_pipeline.providers.network.retry import Retries, retry_after
from etf_pipeline.providers.network.throttle import TokenBucket
from etf_pipeline.providers.network.transport import Reply, Request, Transport

BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses after which the same request may succeed (RFC 9110, RFC 6585, RFC 8470)."""


@dataclass
class Client:
    """Asks one host's files.

    Attributes
    ----------
    transport : Transport
        Asks once.
    bucket : TokenBucket
        How fast.
    retries : Retries
        How often.
    """

    transport: Transport
    bucket: TokenBucket = field(default_factory=lambda: TokenBucket(rate=1.0, burst=2))
    retries: Retries = field(default_factory=Retries)

    def get(self, request: Request) -> Reply:
        """The reply, of status 200 or 304.

        Raises
        ------
        SourceUnreachable
            If no attempt brought an answer.
        ProviderError
            If the source refused; the same request would be refused again.
        """
        return self.retries.run(lambda: self._once(request))

    def _once(self, request: Request) -> Reply:
        self.bucket.take()
        reply = self.transport(request)
        if reply.status in (200, 304):
            return reply
        if reply.status in BUSY:
            wait = retry_after(reply.headers.get("retry-after"))
            raise SourceUnreachable(
                f"{request.host} needs to answer; found status {reply.status}. Run again later.",
                wait=wait,
            )
        said = " ".join(reply.body[:300].decode("utf-8", "replace").split())  # errors redact a repeated key
        raise ProviderError(
            f"{request.host} needs to answer {request.url}; found status {reply.status}: {said}. "
            "Check the address and, where it takes one, the key."
        )
