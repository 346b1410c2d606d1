"""`fleet.toml`: what it may say, and that everything else is one line with the place, the value and the rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import SettingsError
from bench.fleet import settings
from bench.records.campaign import Pool

if TYPE_CHECKING:
    from pathlib import Path

FULL = """
[pool.h100]
engine = "slurm"
python = "/shared/a venv/bin/python"
setup = ["module load cuda", "export A='b c'"]
gpus = 8
cpu = true
time = "00:40:00"
apart = "1h"
lease = 600
at_most = 0
partition = "gpu"
constraint = "h100&nvlink"
account = "me"
qos = "high"
reservation = "r"
options = ["--comment=a b; rm"]
spool = "/scratch"
allow = ["busy", "cores"]
"""


def read(folder: Path, text: str | bytes) -> dict[str, Pool]:
    """The pools that a file says."""
    (folder / settings.FILE).write_bytes(text if isinstance(text, bytes) else text.encode())
    return settings.pools(folder)


def pool(folder: Path, *lines: str) -> Pool:
    """A pool of Slurm's with these lines more."""
    return read(folder, "\n".join(("[pool.x]", 'engine = "slurm"', *lines)))["x"]


def refusal(folder: Path, text: str | bytes) -> str:
    """Why the file says something impossible, on one line."""
    with pytest.raises(SettingsError) as caught:
        read(folder, text)
    said = str(caught.value)
    assert "\n" not in said
    assert len(said) < 500 + len(str(folder))
    assert str(folder / settings.FILE) in said
    return said


def test_without_a_file_there_is_this_machine(tmp_path: Path) -> None:
    """Its visits follow each other at once, one at a time, also while somebody works on it."""
    (found,) = settings.pools(tmp_path).values()
    assert (found.name, found.engine, found.apart_s, found.at_most) == ("local", "local", 0.0, 1)
    assert found.allow == ("busy",)


def test_everything_that_a_pool_may_say(tmp_path: Path) -> None:
    """As it is, in words that no shell reads."""
    assert read(tmp_path, FULL)["h100"] == Pool(
        name="h100",
        engine="slurm",
        python="/shared/a venv/bin/python",
        setup=("module load cuda", "export A='b c'"),
        gpus=8,
        cpu=True,
        time_s=2400.0,
        apart_s=3600.0,
        lease_s=600.0,
        at_most=0,
        partition="gpu",
        constraint="h100&nvlink",
        account="me",
        qos="high",
        reservation="r",
        options=("--comment=a b; rm",),
        spool="/scratch",
        allow=("busy", "cores"),
    )


def test_this_machine_may_be_described_too(tmp_path: Path) -> None:
    """It never has two visits at a time."""
    found = read(tmp_path, '[pool.local]\nengine = "local"\napart = "2min"\nat_most = 5\n')
    assert (found["local"].apart_s, found["local"].at_most) == (120.0, 1)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ('"00:40:00"', 2400.0),
        ('"40:00"', 2400.0),
        ('"1:00:01"', 3601.0),
        ('"40min"', 2400.0),
        ('"1.5h"', 5400.0),
        ("90", 90.0),
        ("0.5", 0.5),
        ("0", 0.0),
        ('"0"', 0.0),
        ('"0s"', 0.0),
    ],
)
def test_times_are_seconds_units_or_as_slurm_writes_them(
    tmp_path: Path, text: str, seconds: float
) -> None:
    """Also none at all."""
    assert pool(tmp_path, f"apart = {text}").apart_s == seconds


@pytest.mark.parametrize(
    "text",
    [
        *("-1", "true", "inf", "nan", '"inf"', '"-5s"', '"soon"', '""', '"1:2:3:4"', '"1:-2"'),
        *(
            "[1]",
            "{}",
            "1979-05-27",
            f"{10**400}",
            f'"{10**400}"',
            f'"0:{10**400}"',
            f'"{"9" * 5000}:00"',
        ),
    ],
)
def test_what_is_no_time_is_refused(tmp_path: Path, text: str) -> None:
    """Before anything is submitted with it."""
    assert " time" in refusal(tmp_path, f'[pool.x]\nengine = "slurm"\ntime = {text}\n')


@pytest.mark.parametrize("key", ["python", "partition", "constraint", "account", "qos", "spool"])
@pytest.mark.parametrize("value", ["5", "true", "[]", '["a"]', "{}", '"a\\nb"', '"a\\u0000b"'])
def test_a_text_is_a_text_on_one_line(tmp_path: Path, key: str, value: str) -> None:
    """A second line would be another line of a script."""
    assert f"x] {key} = " in refusal(tmp_path, f'[pool.x]\nengine = "slurm"\n{key} = {value}\n')


@pytest.mark.parametrize("key", ["setup", "options", "allow"])
@pytest.mark.parametrize("value", ["5", "[5]", '["a", true]', "{}", '["a\\nb"]', '[["a"]]'])
def test_several_texts_are_texts(tmp_path: Path, key: str, value: str) -> None:
    """Each on one line."""
    assert f"x] {key} = " in refusal(tmp_path, f'[pool.x]\nengine = "slurm"\n{key} = {value}\n')


@pytest.mark.parametrize("key", ["gpus", "at_most"])
@pytest.mark.parametrize("value", ["-1", "1.5", "true", '"8"', "[8]", "{}"])
def test_a_number_is_a_whole_one(tmp_path: Path, key: str, value: str) -> None:
    """From 0."""
    assert "no whole number" in refusal(tmp_path, f'[pool.x]\nengine = "slurm"\n{key} = {value}\n')


@pytest.mark.parametrize("value", ["1", '"yes"', "[]"])
def test_a_flag_is_true_or_false(tmp_path: Path, value: str) -> None:
    """And nothing that could be either."""
    said = refusal(tmp_path, f'[pool.x]\nengine = "slurm"\ncpu = {value}\n')
    assert "neither true nor false" in said


def test_a_check_that_may_fail_is_one_that_there_is(tmp_path: Path) -> None:
    """A misspelt one would let nothing pass, and nobody would know why."""
    said = refusal(tmp_path, '[pool.x]\nengine = "slurm"\nallow = ["bussy"]\n')
    assert "busy" in said


@pytest.mark.parametrize("option", ["script.sh", "", "x --y", "-", "--"])
def test_an_option_of_sbatch_begins_with_a_hyphen(tmp_path: Path, option: str) -> None:
    """Another word would be the script that is run in place of the visit."""
    assert "options" in refusal(tmp_path, f'[pool.x]\nengine = "slurm"\noptions = ["{option}"]\n')


def test_a_key_that_there_is_not_has_a_hint(tmp_path: Path) -> None:
    """The one most like it."""
    assert "did you mean constraint?" in refusal(
        tmp_path, '[pool.x]\nengine = "slurm"\nconstrant = "a"\n'
    )
    assert "x] has 'name'" in refusal(tmp_path, '[pool.x]\nengine = "slurm"\nname = "a"\n')


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[pool", "can't be read"),
        (b"\xff", "can't be read"),
        ("pool = 5", "pools are tables"),
        ("pool = []", "pools are tables"),
        ("[[pool]]\na = 1", "pools are tables"),
        ("[pool]\nx = 5", "pools are tables"),
        ("[pools.x]", "has a table [pools]"),
        ("a = 1", "[a]"),
        ("[pool.x]", "engine = '' is none of"),
        ('[pool.x]\nengine = "magic"', "engine = 'magic' is none of local, slurm, ssh"),
        ('[pool.x]\nengine = "ssh"', "hosts ="),
        ('[pool.x]\nengine = "ssh"\nhosts = []', "hosts ="),
    ],
)
def test_what_is_no_file_of_pools_is_refused(tmp_path: Path, text: str | bytes, says: str) -> None:
    """With what is wrong with it."""
    assert says in refusal(tmp_path, text)


@pytest.mark.parametrize("name", ["../x", "a b", "", "-x", "a/b", "ü", "x" * 64, "a\\nb"])
def test_a_pool_has_a_name_that_means_nothing_elsewhere(tmp_path: Path, name: str) -> None:
    """It is part of paths and of commands."""
    said = refusal(tmp_path, f'[pool."{name}"]\nengine = "slurm"\n')
    assert "a name of a pool has letters" in said


def test_hosts_are_a_list_or_a_file_of_lines(tmp_path: Path) -> None:
    """With comments and empty lines, beside the settings, wherever these are."""
    folder = tmp_path / "a [b] ü"
    folder.mkdir()
    (folder / "hosts.txt").write_text("# all\nn1\n\n  me@n2.site  # the second\r\nn1\n")
    found = read(folder, '[pool.x]\nengine = "ssh"\nhosts = "hosts.txt"\n')["x"]
    assert found.hosts[:2] == ("n1", "me@n2.site")
    assert read(folder, '[pool.x]\nengine = "ssh"\nhosts = ["n1", "n2"]\n')["x"].hosts == (
        "n1",
        "n2",
    )


@pytest.mark.parametrize(
    "host",
    ["-oProxyCommand=id", "-l@n1", "n1;id", "$(id)", "a b", "me@", "n1\\nn2", "../n1", "a/b"],
)
def test_a_host_is_no_option_and_no_command(tmp_path: Path, host: str) -> None:
    """`ssh` would obey one."""
    refusal(tmp_path, f'[pool.x]\nengine = "ssh"\nhosts = ["{host}"]\n')


@pytest.mark.parametrize("value", ["5", "[5]", "{}", '"none.txt"', '"bad.txt"', '"."'])
def test_hosts_that_can_not_be_read_are_refused(tmp_path: Path, value: str) -> None:
    """The file is named."""
    (tmp_path / "bad.txt").write_bytes(b"\xff\xfe")
    assert "x] hosts" in refusal(tmp_path, f'[pool.x]\nengine = "ssh"\nhosts = {value}\n')


def test_pools_are_chosen_by_name_each_once(tmp_path: Path) -> None:
    """In the order in which they are named; one that is not there has a hint."""
    known = read(tmp_path, FULL)
    assert [p.name for p in settings.choose(known, ["local", "h100", "local"])] == ["local", "h100"]
    with pytest.raises(SettingsError, match="there is no pool 'h10'; did you mean h100"):
        settings.choose(known, ["h10"])
    with pytest.raises(SettingsError, match=r"pools are tables \[pool.NAME\] of fleet.toml"):
        settings.choose({"local": known["local"]}, ["h100"])


@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    key=st.sampled_from(sorted(settings._READERS)),
)
def test_any_value_is_taken_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, text: str, key: str
) -> None:
    """And never anything else."""
    folder = tmp_path_factory.getbasetemp()
    quoted = '"' + "".join(f"\\U{ord(c):08x}" for c in text) + '"'
    said = ""
    try:
        pool(folder, f"{key} = {quoted}")
    except SettingsError as error:
        said = str(error)
    assert "\n" not in said
