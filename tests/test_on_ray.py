"""A cluster gives the same answers in the same order, whatever dies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from artnet.batch import Loading, Wanted, answer_all
from artnet.classify import Classifier
from artnet.on_ray import answer_on_ray
from artnet.sources import find_pictures

# Ray warns of its own settings when it copies them.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
LOADING = Loading(precision="f32")
needs_ray = pytest.mark.skipif(
    __import__("importlib.util").util.find_spec("ray") is None, reason="needs pip install 'artnet[ray]'"
)


@pytest.fixture
def pictures(tmp_path: Path) -> str:
    """A folder of ninety pictures, one of them broken: three blocks."""
    for index in range(90):
        coarse = np.random.default_rng(index).integers(0, 255, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((120, 90), Image.Resampling.BICUBIC).save(tmp_path / f"{index:03d}.jpg")
    (tmp_path / "040.jpg").write_bytes(b"no picture")
    return str(tmp_path)


@pytest.fixture
def cluster() -> Iterator[Any]:
    """Two machines of one processor each, on this one."""
    import ray
    from ray.cluster_utils import Cluster

    found = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    found.add_node(num_cpus=1)
    ray.init(address=found.address, log_to_driver=False, logging_level="ERROR")
    yield found
    ray.shutdown()
    found.shutdown()


@needs_ray
@pytest.mark.slow
def test_a_cluster_of_which_one_machine_dies_gives_every_answer_in_order(
    classifier: Classifier, pictures: str, cluster: Any
) -> None:
    here = list(answer_all(classifier, find_pictures([pictures] * 3), Wanted(embedding=True)))
    victim = next(node for node in cluster.list_all_nodes() if not node.head)
    found = []
    for answer in answer_on_ray(find_pictures([pictures] * 3), LOADING, Wanted(embedding=True)):
        found.append(answer)
        if len(found) == 40:
            cluster.remove_node(victim, allow_graceful=False)
    assert [(each.source, each.prediction, str(each.error)) for each in found] == [
        (each.source, each.prediction, str(each.error)) for each in here
    ]
    assert all(np.array_equal(one.embedding, other.embedding) for one, other in zip(found, here, strict=True))
