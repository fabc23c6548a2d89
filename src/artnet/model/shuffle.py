"""Put the numbers inside each weight of a graph into another order.

Knows nothing about what the graph computes, nor what the shuffled one is compared with.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def shuffle_weights(model: Any, seed: int) -> None:
    """Put the numbers of every convolution and dense weight of a read graph into another order, in place.

    A dense weight stands in the graph twice, once transposed: its longer axis is permuted, by its length alone.
    """
    import openvino.opset13 as opset

    for node in [node for node in model.get_ops() if node.get_type_name() == "Constant"]:
        shape = list(node.get_output_shape(0))
        if len(shape) not in (2, 4) or sum(side > 1 for side in shape) < 2:
            continue  # biases, means, shapes
        values = np.array(node.data, np.float32)
        if len(shape) == 4:
            values = np.random.default_rng((seed, values.size)).permutation(values.ravel()).reshape(shape)
        else:
            axis = int(np.argmax(shape))
            order = np.random.default_rng((seed, shape[axis])).permutation(shape[axis])
            values = np.take(values, order, axis)
        other = opset.constant(np.ascontiguousarray(values))
        for use in node.output(0).get_target_inputs():
            use.replace_source_output(other.output(0))
