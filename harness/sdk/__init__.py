"""The Python SDK: the only place that joins the stages."""

from harness.sdk.bundled import bundled_domains, find_domain
from harness.sdk.harness import Harness
from harness.sdk.results import Estimate, Indexed

__all__ = ["Estimate", "Harness", "Indexed", "bundled_domains", "find_domain"]
