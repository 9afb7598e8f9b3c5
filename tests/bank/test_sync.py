"""Indexing by content: what changed is embedded, the rest is taken over, and nothing is mixed."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import numpy as np
import pytest

from harness.bank import Bank
from harness.bank.sync import _earlier  # noqa: PLC2701 -- nothing else shows what was taken over
from harness.errors import BankError
from harness.seams import VectorGroup
from harness.testing import HashEmbedder
