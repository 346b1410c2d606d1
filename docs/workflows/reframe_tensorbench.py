"""ReFrame test of a node: one run of tensorbench, with a performance variable per case. Copy it to your own tests."""

from __future__ import annotations

import json
from pathlib import Path

import reframe as rfm
from reframe.core.backends import getlauncher
from reframe.core.builtins import run_after, run_before, sanity_function, variable
from reframe.utility.sanity import assert_eq, make_performance_function


@rfm.simple_test
class TensorbenchRun(rfm.RunOnlyRegressionTest):
    """All cases in one job: a job for each would fill the queue. Other cases: `-S selection='…'`, as in a shell."""

    selection = variable(str, value="matmul elementwise --preset quick")
    valid_systems, valid_prog_environs, executable, exclusive_access = ["*"], ["*"], "bench", True

    @run_after("setup")
    def prepare(self) -> None:
        """Start it without srun, which may give it one core of the node (Slurm from 22.05 on)."""
        self.job.launcher = getlauncher("local")()
        self.executable_opts = ["run", self.selection, "--store store --json > run.json"]
        self.postrun_cmds = ["bench show --store store --format json > rows.json"]

    @sanity_function
    def measured(self) -> object:
        """A run of which nothing was measured has not passed, nor one with a failed or wrong case."""
        run = json.loads((Path(self.stagedir) / "run.json").read_text())
        failed = sum(n for how, n in run["cases"].items() if how not in {"ok", "skipped"})
        return assert_eq((run["cases"]["ok"] > 0, failed, run["wrong"]), (True, 0, 0))

    @run_before("performance")
    def times(self) -> None:
        """Seconds of a call, by case and device; what they should be goes into `reference`."""
        for row in json.loads((Path(self.stagedir) / "rows.json").read_text())["rows"]:
            time = make_performance_function(lambda s=row["time_s"]: s, "s")
            self.perf_variables |= {f"{row['case']}@{row['device']}": time} if row["time_s"] else {}
