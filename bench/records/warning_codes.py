"""Warnings as data: a stable code, what it says was seen, the likely cause, and what to try.

Rows carry codes; whoever shows them takes the words from here. A code never changes its meaning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.errors import SelectionError, hint

if TYPE_CHECKING:
    from collections.abc import Mapping


NOT_COMPILED = "not-compiled"
"""The code of a row that was to be compiled, and of which the compiler left all to Python."""
BY_FAULTS = "page-faults"
"""The code of a row whose two times are told apart by page faults."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """The words behind a warning's code."""

    code: str
    seen: str
    cause: str
    remedy: str


_ALL = (
    Code(
        code="below-overhead",
        seen="the call took less than the measuring loop's own uncertainty",
        cause="it does next to nothing, so its time can't be separated from that of the loop",
        remedy="read it as 'free'; compare larger sizes, or time a sequence of such calls as one op",
    ),
    Code(
        code="busy-gpu",
        seen="another process was on the GPU while this case was measured",
        cause="someone else's program, a notebook that was left open, or a desktop",
        remedy="nvidia-smi says whose it is; end it, or measure on another GPU with --device cuda:1",
    ),
    Code(
        code="clock-throttled",
        seen="the GPU's clock was held down in a fifth of the looks, or lay below 75 % of its maximum",
        cause="the power limit, heat, weak cooling, or clocks that were locked low by hand",
        remedy="compare sm_clock_hz; let it cool, raise its power limit, or lock its clocks where it can hold them",
    ),
    Code(
        code="cpu-fallback",
        seen="the GPU lacks an op of this case, and torch would run it on the CPU",
        cause="an op that torch has not implemented on this kind of GPU, or not for such inputs",
        remedy="nothing was timed; use another op, or a newer torch, or time it with --device cpu",
    ),
    Code(
        code="drift",
        seen="the times rose or fell steadily, by more than 2 % from the first round to the last",
        cause="a clock that sinks as the machine warms up, memory that fills, or an op that grows",
        remedy="run again when the machine is warm; --rounds with more if it goes on",
    ),
    Code(
        code="few-rounds",
        seen="fewer than three rounds were measured, though a call takes little of the budget",
        cause="other programs, or the host, held up the samples; or --rounds asked for no more",
        remedy="close other programs and run again; --budget with more seconds allows for more rounds",
    ),
    Code(
        code="few-samples",
        seen="fewer than three rounds could be measured within the budget",
        cause="a single call takes longer than the budget of the case",
        remedy="--budget with more seconds, or smaller sizes with --set",
    ),
    Code(
        code="graph-break",
        seen="torch.compile could not compile the call as one graph",
        cause="code between its graphs that it can't trace, which runs as Python does: a print, a branch on a value",
        remedy="read it as the time of graphs and the Python between them; torch.compile(f, fullgraph=True) says where it breaks",
    ),
    Code(
        code="implausible",
        seen="the result is above what this machine can do: even the slow end of its interval beats the roof",
        cause="a work model that counts too much, a result that is not computed, or a roof measured while the machine was busy",
        remedy="check the op's work model; measure the roofs again with bench machine --measure",
    ),
    Code(
        code="imported",
        seen="another program measured this, in one process, and bench import took it over",
        cause="samples of one process don't tell how far fresh ones lie apart, so there is no interval",
        remedy="a suite with the same op, and bench run; until then a comparison says unsure",
    ),
    Code(
        code="inputs-changed",
        seen="the calls changed their inputs, so that each but the first was timed on what the one before left",
        cause="an op that works in place, or uses up what it is given",
        remedy="Call(f, x, setup=make) gives each call fresh inputs; if what a call leaves is as good an input, @suite.op(in_place=True) says so",
    ),
    Code(
        code="no-energy",
        seen="the energy of a call could not be told",
        cause="the device keeps no count of its energy, or one that moves too seldom",
        remedy="nvidia-smi says whether the driver counts it; GPUs since Volta do",
    ),
    Code(
        code="no-interval",
        seen="there is no interval: all samples come from one worker",
        cause="--workers 1 was asked for, or the other workers were lost or out of time",
        remedy="--workers 3 or more; --timeout with more seconds if a call is slow",
    ),
    Code(
        code="noisy",
        seen="the interval is wider than ±5 %",
        cause="other programs, a shared host, or an op whose time really varies between processes",
        remedy="close other programs and run again; --budget with more seconds narrows it",
    ),
    Code(
        code=NOT_COMPILED,
        seen="torch.compile compiled nothing of the call, so that all of it ran as Python does",
        cause="a function that the compiler can't trace, such as one written in C that torch does not know",
        remedy="read it as eager; TORCH_LOGS=graph_breaks bench run … says why, where graph_breaks is not 0",
    ),
    Code(
        code="not-queued",
        seen="no sample of the device's own time is proven to be free of launch gaps",
        cause="the call waits for the device by itself, as reading a value back does",
        remedy="read time_s, what a caller waits; bench profile shows its kernels",
    ),
    Code(
        code="not-settled",
        seen="a tenth of a second of warming up did not end the call's getting faster",
        cause="caches, allocators or clocks that take longer to settle, or an op that learns",
        remedy="--budget with more seconds, so that the beginning weighs less",
    ),
    Code(
        code="other-state",
        seen="the machine was hardly ever at its reference conditions while this case was measured",
        cause="other programs or other guests of the host, a lower clock, or threads further apart",
        remedy="run again later; the interval reaches as far as the sentinels were off",
    ),
    Code(
        code=BY_FAULTS,
        seen="in some visits each call wrote to fresh pages, in others to memory that was used before, and took more than 5 % longer in one of the two",
        cause="the C library serves a result from either, by what was freed before: the first write to a fresh page is a page fault",
        remedy="--memory reuse or --memory fresh measures one of the two; state_times_s, state_shares and state_faults have both",
    ),
    Code(
        code="preempted",
        seen="in a fifth of the visits or more other programs took the cores: half of the samples or more were switched out, and short of CPU time",
        cause="other programs at work, more threads than free cores, or a CPU quota",
        remedy="end them, or take precedence with nice -n -5 (as root); with a quota, fewer --threads; preempted_share says how many visits it were, which count only where too few others are left",
    ),
    Code(
        code="profile-incomplete",
        seen="the profiler's records do not add up to the same work for each call",
        cause="it lost some, or could not watch the device, or the calls differ from each other",
        remedy="profile again, with fewer or more --calls; don't use counts and times as they are",
    ),
    Code(
        code="queue-full",
        seen="a call launches more than the device's queue holds, so that the host waits for places in it",
        cause="a loop over rows or elements within one call; a queue holds about a thousand launches",
        remedy="read time_s, what a caller waits; graph_time_s has no launches in it, where the call can be recorded",
    ),
    Code(
        code="recompile-limit",
        seen="torch.compile gave up compiling and ran the code as Python does",
        cause="more variants of one function than it keeps (torch._dynamo.config.recompile_limit)",
        remedy="it is not the time of compiled code; compile a function of its own for each variant, or raise the limit",
    ),
    Code(
        code="reference-cycles",
        seen="each call leaves objects that refer to each other, whose memory is freed only when Python looks for such garbage",
        cause="a closure or graph that holds its own output",
        remedy="break the cycle; the garbage is collected between samples, and is no part of their time",
    ),
    Code(
        code="state-changed",
        seen="building or calling the case changed a global setting of torch, which was put back",
        cause="a set_… call in the op or in what it calls, such as torch.set_num_threads or torch.manual_seed",
        remedy="make the setting an axis (docs/add-an-op.md), or use its context manager; state_changed says which it was",
    ),
    Code(
        code="two-states",
        seen="the case has two times, more than 5 % apart, and took each of them in many visits",
        cause="the host moves the cores of this machine, or shares them with others, for minutes on end",
        remedy="compare time_at_reference_s; state_times_s and state_shares have both",
    ),
    Code(
        code="wrong-result",
        seen="the result differs from its reference by more than is allowed, or lacks a property that it must have",
        cause="a wrong op or reference, or arithmetic less precise than the dtype suggests",
        remedy="don't use the time before the error is understood: see max_error in bench show --format json; an op can state how exact it must be, or a property (docs/add-an-op.md)",
    ),
    Code(
        code="vacuous-check",
        seen="the result equals its reference, but on inputs with which that shows nothing",
        cause="inputs of one value throughout, or NaN in inputs and result; on a device that computes nothing all values are zero",
        remedy="make inputs with case.randn; if they were, the device may compute nothing; reason in bench show --format json says what was seen",
    ),
    Code(
        code="unchecked",
        seen="the result was not compared with anything",
        cause="the op declares no reference, or the reference failed",
        remedy="add a function under @my_op.reference (docs/add-an-op.md)",
    ),
)
CODES: Mapping[str, Code] = {code.code: code for code in _ALL}


def explain(code: str) -> Code:
    """The words behind a code.

    Raises:
        SelectionError: there is no such code.
    """
    if code not in CODES:
        message = f"there is no warning {code!r}; {hint(code, CODES)}"
        raise SelectionError(message)
    return CODES[code]
