from __future__ import annotations

import numpy as np
import pytest
import torch
from counting import parameters

from skinfw.testing import example_generator_io
from skinfw_plugins.generators.config import FcnnConfig
from skinfw_plugins.generators.fcnn import FcnnGenerator

APPAREL = "apparel_head_foot"
REPORT = (1101, 750)


def build(size: tuple[int, int], inputs: tuple[str, ...] = (APPAREL,), **fields: object) -> FcnnGenerator:
    torch.manual_seed(0)
    return FcnnGenerator(FcnnConfig.model_validate(fields), example_generator_io(size, inputs))


def test_the_reports_network_has_the_parameters_of_a_count_by_hand() -> None:
    with torch.device("meta"):
        network = build(REPORT)
        painted = network(torch.empty(2, 3, *REPORT))
    values = 1101 * 750 * 3
    assert values == 2_477_250
    assert parameters(network) == (values * 20 + 20) + (20 * values + values) == 101_567_270
    assert painted.shape == (2, 3, 1101, 750)


def test_any_list_of_hidden_widths() -> None:
    network = build((4, 6), (APPAREL, "line"), hidden_widths=[5, 7])
    shapes = [tuple(layer.weight.shape) for layer in (*network.hidden, network.last)]
    assert shapes == [(5, 2 * 3 * 24), (7, 5), (3 * 24, 7)]
    with pytest.raises(ValueError, match="at least 1 item"):
        FcnnConfig(hidden_widths=())


def test_a_pass_equals_the_same_sums_in_numpy() -> None:
    network = build((4, 6), hidden_widths=[5, 7]).eval()
    condition = torch.rand(2, 3, 4, 6)
    x = condition.numpy().reshape(2, -1).astype(np.float64) * 2 - 1
    for layer in network.hidden:
        x = np.maximum(x @ layer.weight.detach().numpy().T + layer.bias.detach().numpy(), 0)
    x = x @ network.last.weight.detach().numpy().T + network.last.bias.detach().numpy()
    expected = 1 / (1 + np.exp(-2 * x))
    painted = network(condition.to(memory_format=torch.channels_last)).detach().numpy()
    np.testing.assert_allclose(painted.reshape(2, -1), expected, atol=1e-5)


def test_it_is_bound_to_its_size() -> None:
    requirement = FcnnConfig().size_requirement(REPORT)
    assert requirement.error(REPORT) is None
    assert requirement.error((750, 1101)) == "750x1101 does not fit: it is built for 1101x750 only"


def test_one_image_is_learnt_by_heart() -> None:
    network = build((6, 4)).train()
    condition, target = torch.rand(1, 3, 6, 4), torch.rand(1, 3, 6, 4)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(150):
        optimizer.zero_grad()
        loss = (network(condition) - target).square().mean()
        loss.backward()
        optimizer.step()
    assert loss.item() < 1e-3
