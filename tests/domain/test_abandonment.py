"""Whether a lock was left by somebody who is gone: everything that is not certain keeps it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nodes.domain.text import say
from operations.domain.abandonment import AtWork, Locked, NoLock, NotAsked, Sign, silence, why_not

SIGNS: st.SearchStrategy[Sign] = st.one_of(
    st.builds(AtWork, st.just("job")),
    st.just(NoLock()),
    st.builds(
        Locked,
        st.none() | st.integers(0, 2000),
        st.none() | st.sampled_from([600, 900]),
        st.just("b"),
    ),
    st.just(NotAsked(say("It did not answer."))),
)


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), SIGNS))
def test_only_silence_on_every_node_counts(signs: dict[str, Sign]) -> None:
    gone = [
        isinstance(sign, NoLock)
        or (
            isinstance(sign, Locked)
            and sign.silent_s is not None
            and sign.limit_s is not None
            and sign.silent_s >= sign.limit_s
        )
        for sign in signs.values()
    ]
    held = any(isinstance(sign, Locked) for sign in signs.values())
    assert (why_not(signs) is None) == (all(gone) and held)


def test_the_newest_sign_of_life_is_the_one_that_is_told() -> None:
    assert silence({"a": Locked(900, 600), "b": Locked(700, 600), "c": NoLock()}) == 700


def test_a_running_job_is_named_before_anything_else() -> None:
    signs: dict[str, Sign] = {
        "a": NotAsked(say("Silent.")),
        "b": Locked(3, 600),
        "c": AtWork("the-job"),
    }
    assert "the-job" in str(why_not(signs))
