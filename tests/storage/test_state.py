"""Values and modules, as JSON beside tensors and back."""

import pytest
import torch

from gdp.storage.state import decode, encode, load_module, module_state
from operators.base import Operator
from operators.light import Light


def test_values_come_back_as_they_were():
    wide = torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last)
    values = {
        "a": [1, 2.5, None, True, "x"],
        3: (slice(1, None), wide, wide[:, :, 1:3], torch.tensor(7)),
        "c": {
            "k": torch.randn(3, dtype=torch.complex64),
            "half": torch.randn(2).bfloat16(),
            "wide": torch.ones(1).expand(4),
        },
    }
    tensors: dict = {}
    again = decode(encode(values, tensors), tensors, torch.device("cpu"))
    torch.testing.assert_close(again["c"], values["c"], atol=0, rtol=0)
    assert (
        again["a"] == values["a"] and again[3][0] == slice(1, None) and isinstance(again[3], tuple)
    )
    for new, old in zip(again[3][1:], values[3][1:], strict=True):
        assert torch.equal(new, old) and new.dtype == old.dtype
    assert again[3][1].stride() == wide.stride()
    with pytest.raises(TypeError, match="function"):
        encode([print], {})


def test_state_of_an_operator(tmp_path):
    class Odd(Operator):
        def __init__(self):
            super().__init__()
            self.part, self.count, self._cache, self.code = Light(), 3, torch.ones(2), print
            self.register_buffer("b", torch.zeros(2))

    A, B = Odd(), Odd()
    A.count, A.part.f.data[:] = 5, 0.25
    kept = module_state(A)
    A.part.f.data[:] = 0.5
    load_module(B, kept)
    assert B.count == 5 and (B.part.f == 0.25).all() and set(kept[""]) == {"count", "b"}
    with pytest.raises(ValueError, match="other parts"):
        load_module(Light(), kept)
