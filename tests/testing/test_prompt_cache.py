from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.testing import WordCounter
from harness.testing.prompt_cache import CacheRules, PromptCache, Stretch

PREFIX = CacheRules(kind="prefix", step=128)
BREAKS = CacheRules(kind="breakpoints")
WORDS = "word " * 2000


def by_prefix(*texts: str) -> list[int]:
    cache = PromptCache(WordCounter())
    return [cache.use("m", [Stretch(text=text)], PREFIX).read for text in texts]


def test_a_prefix_is_read_in_steps_of_128():
    assert by_prefix(WORDS + "a", WORDS + "b") == [0, 2000 // 128 * 128]


def test_a_short_prefix_is_not_cached():
    assert by_prefix("word " * 1000 + "a", "word " * 1000 + "b") == [0, 0]


def test_what_differs_early_is_not_read():
    assert by_prefix("x " + WORDS, "y " + WORDS) == [0, 0]


def test_each_scope_has_a_cache_of_its_own():
    cache = PromptCache(WordCounter())
    assert cache.use("one", [Stretch(text=WORDS)], PREFIX).read == 0
    assert cache.use("two", [Stretch(text=WORDS)], PREFIX).read == 0


def test_a_breakpoint_is_written_once_and_then_read():
    cache = PromptCache(WordCounter())
    stable = [Stretch(text=WORDS), Stretch(text="end ", mark=True)]
    first = cache.use("m", [*stable, Stretch(text="one")], BREAKS)
    second = cache.use("m", [*stable, Stretch(text="two three")], BREAKS)
    assert (first.total, first.read, first.written) == (2002, 0, 2001)
    assert (second.total, second.read, second.written) == (2003, 2001, 0)


def test_without_a_breakpoint_nothing_is_cached():
    cache = PromptCache(WordCounter())
    for _ in range(2):
        use = cache.use("m", [Stretch(text=WORDS)], BREAKS)
        assert (use.read, use.written) == (0, 0)


def test_a_later_breakpoint_reads_up_to_an_earlier_one():
    """As a conversation grows: what an earlier call marked is found by looking back."""
    cache = PromptCache(WordCounter())
    cache.use("m", [Stretch(text=WORDS, mark=True)], BREAKS)
    grown = [Stretch(text=WORDS), Stretch(text="a b c ", mark=True)]
    use = cache.use("m", grown, BREAKS)
    assert (use.read, use.written) == (2000, 3)
    far = [Stretch(text=WORDS), *[Stretch(text="a ")] * 30, Stretch(text="z", mark=True)]
    assert cache.use("m", far, BREAKS).read == 0


def test_a_breakpoint_before_the_least_length_is_none():
    cache = PromptCache(WordCounter())
    for _ in range(2):
        assert cache.use("m", [Stretch(text="short ", mark=True)], BREAKS).written == 0


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_the_shared_prefix_is_the_whole_shared_prefix(shared, left, right):
    class Letters:
        name = "letters"

        def count(self, text: str) -> int:
            return len(text)

    rules = CacheRules(kind="prefix", least=0)
    cache = PromptCache(Letters())
    cache.use("m", [Stretch(text=shared + left)], rules)
    read = cache.use("m", [Stretch(text=shared + right)], rules).read
    one, other = shared + left, shared + right
    longest = next(
        (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )
    assert read == longest
