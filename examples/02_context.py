"""See what a model would be shown, under different policies and sections. No model is called.

Run it: python examples/02_context.py
"""

from harness import Harness

QUESTION = "Neither party may assign this Agreement without the other party's written consent."
SMALL = {"core": 0, "demonstrations": 500}  # tokens; a share is written "25 %"
WAYS = {
    "as the domain says": {},
    "twice the budget": {"budget": 64_000},
    "no stable core": {"sections": {"core": 0}},
    "500 tokens, balanced": {"policy": "balanced", "sections": SMALL},
    "500 tokens, nearest": {"policy": "nearest", "sections": SMALL},
    "500 tokens, diverse": {"policy": "diverse", "sections": SMALL},
    "no cases at all": {"policy": "none"},
}

with Harness("contract-clauses") as harness:
    print(f"{'':<24}{'tokens':>8}{'stable':>8}{'cases':>7}  nearest case shown")
    for name, how in WAYS.items():
        packed = harness.preview(QUESTION, **how)
        cases = packed.shown("example", "eval")
        nearest = cases[-1] if cases else None  # the best stands right before the question
        shown = f"{nearest.id} ({nearest.similarity:.3f})" if nearest else "-"
        print(f"{name:<24}{packed.tokens:>8,}{packed.core_tokens:>8,}{len(cases):>7,}  {shown}")
