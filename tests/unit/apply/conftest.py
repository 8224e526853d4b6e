import pytest
from apply_world import Bench


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)
