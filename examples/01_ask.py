"""Ask a shipped domain a question, and see what taught the answer. No key is needed.

Run it: python examples/01_ask.py ["another question"]
"""

import sys

from harness import Harness

question = sys.argv[1] if len(sys.argv) > 1 else "I paid abroad and was charged a fee. Why?"

# model="openai:gpt-5" asks a frontier model; baseline:nearest lets the worked cases shown vote.
with Harness("support-triage", model="baseline:nearest") as harness:
    answer = harness.ask(question)
    said = {one.id: (one.input, one.output) for one in harness.domain.examples}
    said |= {one.id: (one.input, one.expected) for one in harness.domain.cases}

print(f"Question  {question}")
print(f"Answer    {answer.value}")
print(f"By        {answer.model}, which read {answer.usage.input_tokens:,} tokens")
print(f"Shown     {len(answer.demonstrations):,} worked cases. The nearest to the question:")

compared = [item for item in answer.demonstrations if item.similarity is not None]
for item in sorted(compared, key=lambda item: -item.similarity)[:5]:
    given, output = said[item.id]
    print(f"  {item.similarity:.3f}  {item.id}  {given[:60]!r} -> {output}")
