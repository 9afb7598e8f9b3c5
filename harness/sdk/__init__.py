"""The Python SDK: the only place that joins the stages."""

from harness.sdk.bundled import bundled_domains, find_domain
from harness.sdk.harness import Estimate, Harness, Indexed

__all__ = ["Estimate", "Harness", "Indexed", "bundled_domains", "find_domain"]
