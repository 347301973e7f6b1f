# SPDX-License-Identifier: MIT
"""standard_webhooks.py - checks signatures as the Standard Webhooks
specification says (https://www.standardwebhooks.com/)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from typing import Dict, Iterable, Optional

TOLERANCE_SECONDS = 300


def sign(secret: str, webhook_id: str, timestamp: str, body: bytes) -> str:
    """The v1 signature; raises ValueError if the secret is no secret."""
    if not secret.startswith("whsec_"):
        raise ValueError("a signing secret starts with whsec_")
    try:
        key = base64.b64decode(secret[len("whsec_"):], validate=True)
    except binascii.Error:
        raise ValueError("a signing secret is base64 after whsec_") from None
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def problem(headers: Dict[str, str], body: bytes, secrets: Iterable[str],
            now: Optional[float] = None) -> Optional[str]:
    """Why the request is not to be believed; None if it is.  One valid
    signature by one of the secrets is enough (rotation)."""
    webhook_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    given = headers.get("webhook-signature", "").split()
    if not webhook_id:
        return "the header webhook-id is missing"
    if not timestamp.isdigit():
        return "the header webhook-timestamp is missing or no number"
    if abs((now or time.time()) - int(timestamp)) > TOLERANCE_SECONDS:
        return "webhook-timestamp is more than five minutes off"
    if not given:
        return "the header webhook-signature is missing"
    for secret in secrets:
        wanted = sign(secret, webhook_id, timestamp, body)
        if any(hmac.compare_digest(wanted, one) for one in given):
            return None
    return "no signature fits"
