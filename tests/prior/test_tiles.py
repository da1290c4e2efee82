"""Where tiles lie along a side, and that their weights sum to one."""

import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gdp.prior.tiles import spans


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(1, 700),
    tile=st.integers(8, 200),
    share=st.floats(0, 0.5),
    divisor=st.sampled_from([1, 4, 8]),
    shift=st.floats(-1, 0.999),
)
@example(
    n=55, tile=18, share=0.5, divisor=1, shift=-1.0
)  # the second tile begins where the first one does
@example(n=20, tile=10, share=0.0, divisor=1, shift=-1.0)
def test_weights_sum_to_one(n, tile, share, divisor, shift):
    cut = spans(n, tile, int(share * tile), divisor, shift, torch.zeros(1))
    total = torch.zeros(n)
    for span in cut:
        assert 0 <= span.start < span.stop <= n and (span.weight >= 0).all()
        total[span.start : span.stop] += span.weight
    torch.testing.assert_close(total, torch.ones(n))
    lengths = [s.stop - s.start for s in cut]
    assert len(set(lengths[1:-1])) <= 1 and all(length % divisor == 0 for length in lengths[1:-1])
