"""The bank: a domain's examples, packable evals and passages, embedded and searchable."""

from harness.bank.items import bank_items
from harness.bank.search import Bank
from harness.bank.sync import Synced, sync

__all__ = ["Bank", "Synced", "bank_items", "sync"]
