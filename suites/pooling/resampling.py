"""Resampling of images: upsampling, downsampling, warping, shuffling. Run it: bench run pooling

What does another size of an image cost, by the way it is interpolated?
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.nn import functional

from bench import Axis, Call, Case, Skip, Suite, Work

NO_BFLOAT16 = "torch has no bfloat16 kernel of this op for the CPU"
FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}

suite = Suite(
    "pooling",
    axes=[
        # n is the side of an image of 64 channels, as in the last stages of U-Net.
        Axis("n", [4, 16, 64, 256], quick=[64]),
        Axis("dtype", ["float32", "bfloat16"], quick=["float32"]),
        Axis("memory_format", FORMATS),  # of the image, which is converted before
    ],
)


def image(case: Case, side: int) -> Any:
    """An image of 64 channels."""
    return case.randn(1, 64, side, side).to(memory_format=case["memory_format"])


@suite.op(axes=[Axis("interpolation", ["nearest", "bilinear", "bicubic"], quick=["bilinear"])])
def upsample(case: Case) -> Call:
    """Twice the side of an n×n image of 64 channels: from the nearest pixel, from 2×2, or from 4×4."""
    return Call(
        functional.interpolate, image(case, case["n"]), scale_factor=2, mode=case["interpolation"]
    )


@suite.op(quick=False)
def upsample_backward(case: Case) -> Call:
    """Backward alone of bilinear upsampling: the gradient of the n×n image of 64 channels."""
    x, slope = image(case, case["n"]).requires_grad_(), image(case, 2 * case["n"])
    result = functional.interpolate(x, scale_factor=2, mode="bilinear")
    return Call(torch.autograd.grad, result, x, slope, retain_graph=True)


@suite.op(quick=False)
def downsample_antialias(case: Case) -> Call:
    """Half the side of an n×n image of 64 channels, bilinear with antialiasing, as for thumbnails."""
    if case.device == "cpu" and case["dtype"] == "bfloat16":
        raise Skip(NO_BFLOAT16)
    x = image(case, case["n"])
    return Call(functional.interpolate, x, scale_factor=0.5, mode="bilinear", antialias=True)


# In bfloat16 the CPU computes coordinates in bfloat16, and reads beyond the image (torch 2.13).
@suite.op(axes=[Axis("dtype", ["float32"])], quick=False)
def grid_sample(case: Case) -> Call:
    """A warp as by optical flow of an n×n image of 64 channels: each pixel from four that are near it."""
    n = case["n"]
    line = torch.linspace(1 / n - 1, 1 - 1 / n, n, device=case.device)
    still = torch.stack(torch.meshgrid(line, line, indexing="xy"), dim=-1)
    grid = still + case.randn(1, n, n, 2) * 4 / n
    return Call(functional.grid_sample, image(case, n), grid, align_corners=False)


@suite.op(quick=False)
def pixel_shuffle(case: Case) -> Call:
    """64 channels of n×n as 16 channels of 2n×2n: every element is moved, none computed."""
    return Call(functional.pixel_shuffle, image(case, case["n"]), 2)


def of_pixels(case: Case, read: int, written: int) -> Work:
    """So many quarters of the image's elements read and written."""
    quarter = 16 * case["n"] ** 2 * case.itemsize
    return Work(read_bytes=read * quarter, written_bytes=written * quarter)


upsample.work(lambda case: of_pixels(case, 4, 16))
upsample_backward.work(lambda case: of_pixels(case, 16, 4))
downsample_antialias.work(lambda case: of_pixels(case, 4, 1))
pixel_shuffle.work(lambda case: of_pixels(case, 4, 4))


@grid_sample.work
def grid_sample_work(case: Case) -> Work:
    """The image and two coordinates per pixel read, the image written."""
    pixels = case["n"] ** 2 * case.itemsize
    return Work(read_bytes=(64 + 2) * pixels, written_bytes=64 * pixels)


def cubic(t: Any) -> Any:
    """The weight of a pixel that is t away, by Keys' kernel with a = -0.75, as torch has it."""
    near, far = 1.25 * t**3 - 2.25 * t**2 + 1, -0.75 * (t**3 - 5 * t**2 + 8 * t - 4)
    return np.select([t <= 1, t / 2 <= 1], [near, far], 0)


KERNELS = {"nearest": lambda t: t < 1 / 2, "bilinear": lambda t: (1 - t).clip(0), "bicubic": cubic}


def shares(n: int, scale_factor: float, mode: str, *, antialias: bool = False) -> Any:
    """The share of each of n pixels in each pixel of the result; beyond the edge is the edge, or nothing."""
    centres = (np.arange(int(n * scale_factor))[:, None] + 0.5) / scale_factor - 0.5
    taps = np.floor(centres) + np.arange(-4, 6)
    weights = KERNELS[mode](np.abs(taps - centres) * min(scale_factor, 1))
    if antialias:
        weights = weights * ((taps >= 0) & (taps < n))
    found = np.zeros((len(centres), n))
    np.add.at(found, (np.arange(len(centres))[:, None], taps.clip(0, n - 1).astype(int)), weights)
    return found / found.sum(axis=1, keepdims=True)


def resampled(x: Any, **how: Any) -> Any:
    """The same shares along rows and columns, by NumPy."""
    share = shares(x.shape[-1], **how)
    return share @ x.numpy() @ share.T


def sampled(x: Any, grid: Any, **_: bool) -> Any:
    """Four pixels by their distance, by NumPy; beyond the edge are zeros."""
    n = x.shape[-1]
    padded = np.pad(x[0], [(0, 0), (1, 1), (1, 1)])
    places = (((grid[0].numpy() + 1) * n - 1) / 2 + 1).clip(0, n + 1)
    low = np.minimum(np.floor(places), n).astype(int)
    (right, down), (j, i) = np.moveaxis(places - low, -1, 0), np.moveaxis(low, -1, 0)
    above = padded[:, i, j] * (1 - right) + padded[:, i, j + 1] * right
    below = padded[:, i + 1, j] * (1 - right) + padded[:, i + 1, j + 1] * right
    return (above * (1 - down) + below * down)[None]


def backward_reference(_: Any, x: Any, slope: Any, **__: bool) -> Any:
    """The shares turned round."""
    share = shares(x.shape[-1], 2, "bilinear")
    return [share.T @ slope.numpy() @ share]


upsample.reference(resampled)
downsample_antialias.reference(resampled)
upsample_backward.reference(backward_reference)
grid_sample.reference(rtol=1e-4)(sampled)  # a coordinate is rounded to a share of n pixels


@pixel_shuffle.reference
def shuffled(x: Any, factor: int) -> Any:
    """Channels as pixels beside each other, by NumPy."""
    n = x.shape[-1]
    parts = x.numpy().reshape(1, -1, factor, factor, n, n).transpose(0, 1, 4, 2, 5, 3)
    return parts.reshape(1, -1, factor * n, factor * n)
