"""A page that is sent on alone has its rows in it; one in a folder has them beside it."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING
from urllib.parse import unquote

import bench
from tests.browser.reports import CASES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.browser.reports import Pages
    from tests.browser.visit import Open


def test_a_single_file_gives_back_its_run(visit: Open, pages: Pages, tmp_path: Path) -> None:
    """Without a request: the button saves what the page carries, which unzipped in a store is the run."""
    page = visit("alone/both")
    with page.expect_download() as waiting:
        page.locator("button[data-download]").click()
    waiting.value.save_as(tmp_path / "run.zip")
    with zipfile.ZipFile(tmp_path / "run.zip") as file:
        file.extractall(tmp_path / "store")
    rows = bench.load(tmp_path / "store")
    assert len(rows) == CASES
    assert set(rows["run_id"]) == {pages["both"].stem}


def test_the_rows_of_a_page_in_a_folder_lie_beside_it(visit: Open, pages: Pages) -> None:
    """What its links to files name is there."""
    page = visit("both")
    links = page.locator("a[download]").all()
    names = [unquote(link.get_attribute("href") or "") for link in links]
    assert names
    assert [name for name in names if not (pages["both"].parent / name).is_file()] == []
