from __future__ import annotations

import base64
import io
import math
import xml.etree.ElementTree as ElementTree

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from skinfw.reporting.plots import (
    MAX_POINTS,
    Curve,
    draw,
    loss_curves,
    plot_style,
    thinned,
    validation_curves,
)

LOG = [
    {"event": "step", "step": 1, "losses": {"l1": 0.5, "discriminator/gan": 0.7}},
    {"event": "evaluation", "step": 1, "values": {"skin/psnr": None, "image/psnr": 9.0}},
    {"event": "step", "step": 2, "losses": {"l1": 0.25, "discriminator/gan": 0.6}},
    {"event": "evaluation", "step": 2, "values": {"skin/psnr": 11.0, "image/psnr": 10.0}},
]


def test_losses_and_validation_figures_are_taken_from_the_log() -> None:
    assert loss_curves(LOG) == [
        Curve("l1", [1, 2], [0.5, 0.25]),
        Curve("discriminator gan", [1, 2], [0.7, 0.6]),
    ]
    assert validation_curves(LOG) == [
        Curve("image PSNR", [1, 2], [9.0, 10.0]),
        Curve("skin PSNR", [2], [11.0]),
    ]


def test_figures_that_nothing_can_be_drawn_of_are_left_out() -> None:
    values = (1e308, -1e308, math.nan, math.inf, None, 0.5)
    log = [{"event": "step", "step": step, "losses": {"l1": value}} for step, value in enumerate(values)]
    (curve,) = loss_curves(log)
    assert (curve.steps, curve.values) == ([5], [0.5])


def test_an_empty_log_has_no_curves() -> None:
    assert loss_curves([]) == validation_curves([]) == []


def test_long_curves_are_thinned_by_means() -> None:
    steps, values = thinned(Curve("l1", range(4 * MAX_POINTS), [1.0, 3.0] * (2 * MAX_POINTS)))
    assert len(steps) == MAX_POINTS
    assert np.allclose(values, 2.0)
    assert np.allclose(np.diff(steps), 4.0)


def test_short_curves_keep_every_point() -> None:
    steps, values = thinned(Curve("l1", [1, 5, 9], [3.0, 1.0, 2.0]))
    assert (list(steps), list(values)) == ([1, 5, 9], [3.0, 1.0, 2.0])


def test_a_drawing_is_one_svg_and_the_same_each_time() -> None:
    curve = Curve("l1", [1, 2, 3], [3.0, 1.0, 2.0])
    head, _, body = draw(curve).partition(",")
    assert head == "data:image/svg+xml;base64"
    assert ElementTree.fromstring(base64.b64decode(body)).tag.endswith("svg")
    assert draw(curve) == f"{head},{body}"


def test_settings_of_matplotlib_change_no_drawing() -> None:
    (curve,) = loss_curves(LOG[:1] + LOG[2:3])[:1]
    plain = draw(curve)
    with mpl.rc_context({"text.usetex": True, "font.size": 20, "text.parse_math": True}):
        assert draw(curve) == plain
    with plot_style():
        figure = Figure()
        figure.suptitle(r"$\frac{")
        figure.savefig(io.BytesIO(), format="svg")


def test_a_curve_is_told_in_words() -> None:
    curve = Curve("l1", [1, 200], [0.5, 0.125])
    assert curve.summary == "l1 from 0.5 at step 1 to 0.125 at step 200"
