# SPDX-License-Identifier: LGPL-2.1-or-later
"""The page of `report` in a real browser: what it shows, by mouse, keys and touch, in light and dark, and in silence."""

import os
import pathlib
import re
import shutil
import subprocess

import oracle
import pytest
from browser import chromium  # noqa: F401 (fixture)
from conftest import PAGE, TARGETS
from page_reader import Page, make_many
from programs import Program, java_program, need, put_keys, redis_server

MARKUP = b"</script><script>alert(1)</script>"
PIXELS = """(() => { const canvas = document.getElementById("map"), seen = {};
    const context = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
    context.drawImage(canvas, 0, 0);
    const pixels = new Uint32Array(context.getImageData(0, 0, canvas.width, canvas.height).data.buffer), counts = new Map();
    for (const pixel of pixels)
        counts.set(pixel, (counts.get(pixel) || 0) + 1);
    for (const [pixel, count] of counts)
        seen[new Uint8Array(Uint32Array.of(pixel).buffer).join()] = count;
    return seen; })()"""
LEGEND = """Object.fromEntries([...document.querySelectorAll("#map-legend [data-bytes]")].map((item) =>
    [item.dataset.name, Number(item.dataset.bytes)]))"""
FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
SELECTED = """[...document.querySelectorAll('#table-body tr[aria-selected="true"]')].map((row) => row.cells[0].textContent)"""


def keep(browser, tmp_path, name):
    """A screenshot, beside the results of the tests if scripts/test runs them."""
    folder = pathlib.Path(os.environ.get("PIDMEM_RESULTS", tmp_path))
    browser.shot(path=folder / f"report-{name}.png")


def is_silent(browser):
    assert browser.problems() == {"problems": [], "requests": []}


@pytest.fixture
def opened(pidmem, victim, tmp_path, chromium):
    """A stopped victim and the page of it, opened."""
    def start(*args, name="plain", **options):
        one = victim(name)
        one.stop()
        assert pidmem("report", "-o", tmp_path / "page.html", *args, one.pid).code == 0
        chromium.open(path=tmp_path / "page.html", **options)
        return one
    yield start
    is_silent(chromium)


def show(pidmem, browser, tmp_path, target, name, figure):
    result = pidmem("report", "-o", tmp_path / f"{name}.html", target)
    assert result.code in (0, 3), result
    figure(f"report_{name}_ready_ms", browser.open(path=tmp_path / f"{name}.html"))
    assert len(browser.evaluate(script=PIXELS)) > 2
    assert browser.evaluate(script="document.querySelectorAll('#tree button').length") > 2
    keep(browser, tmp_path, name)
    is_silent(browser)
    return Page(tmp_path / f"{name}.html")


def test_redis_and_its_core(pidmem, tmp_path, chromium, record_testsuite_property):
    with redis_server(tmp_path) as (server, client):
        put_keys(client, 20000, b"value-%d")
        page = show(pidmem, chromium, tmp_path, server.pid, "redis", record_testsuite_property)
        assert chromium.text("#name") == "redis-server" and len(page.cells) > 1000
        assert pidmem("core", "-o", tmp_path / "core", server.pid).code == 0
    subprocess.run([need("zstd"), "-q", tmp_path / "core", "-o", tmp_path / "core.zst"], check=True)
    show(pidmem, chromium, tmp_path, tmp_path / "core.zst", "core-zst", record_testsuite_property)


def test_java(pidmem, tmp_path, chromium, record_testsuite_property):
    with Program(java_program(tmp_path)) as program:
        program.wait_for(b"ready")
        page = show(pidmem, chromium, tmp_path, program.pid, "java", record_testsuite_property)
    # What is not of the moment is told with it.
    assert page.data["shared"]["after"] > 0 and "of shared memory read after it" in chromium.text("#moment")


def test_65000_regions(pidmem, victim, tmp_path, chromium, record_testsuite_property):
    one = victim("many")
    page = show(pidmem, chromium, tmp_path, one.pid, "many", record_testsuite_property)
    assert len(page.regions) > 65000
    assert os.stat(tmp_path / "many.html").st_size <= 10 << 20
    assert chromium.evaluate(script="document.querySelectorAll('#table-body tr').length") < 100
    chromium.fill(selector="#filter", text=f"{one.region + 64000 * PAGE:#x}")
    assert f"{one.region + 64000 * PAGE:#x}" in chromium.text("#table-body")


def test_pointing_at_a_planted_string(opened, chromium):
    one = opened()
    at = chromium.seek(address=f"{one.bytes:#x}")
    assert at, "the cell is nowhere on the map"
    assert chromium.text("#sample-address") == f"{one.bytes:#x}"
    assert "|0001:000|" in chromium.text("#sample") and chromium.text("#sample").startswith("30 30 30 31 3a")
    region = next(region for region in oracle.smaps(one.pid) if region.start <= one.bytes < region.end)
    details = chromium.text("#details")
    assert f"{region.start:#x} - {region.end:#x}" in details and region.perms in details
    command = chromium.evaluate(script="document.querySelector('[data-copy]').dataset.copy")
    assert command == f"pidmem read {one.pid} {one.bytes:#x} 256"
    # A click chooses the region, in the table as well.
    chromium.mouse(x=at[0], y=at[1])
    assert chromium.evaluate(script=SELECTED) == [f"{region.start:#x}"]


def test_choosing_a_row_marks_the_map_and_all_else(opened, chromium):
    one = opened()
    before = chromium.evaluate(script=PIXELS)
    chromium.fill(selector="#filter", text=f"{one.bytes:#x}")
    assert "1 of" in chromium.text("#table-count")
    chromium.click(selector="#table-body tr[data-region]")
    assert chromium.evaluate(script=PIXELS) != before
    assert chromium.text("#sample-address") == f"{one.bytes:#x}"
    marked = chromium.evaluate(script="[...document.querySelectorAll('.ladder .chosen, .tree .chosen')].length")
    assert marked == 2, "a rung and a box"
    chromium.focus(selector="#map")
    chromium.press(key="Escape")
    assert chromium.evaluate(script=PIXELS) == before


def test_a_box_and_a_rung_mark_the_rest(opened, chromium):
    opened()
    for selector in ("#tree button[title*='libc.so.6']", "#ladder button[title*='libc.so.6']"):
        chromium.click(selector=selector)
        names = chromium.evaluate(script="""[...document.querySelectorAll('#table-body tr[aria-selected="true"]')]
            .map((row) => row.lastChild.textContent)""")
        assert names and all("libc.so.6" in name for name in names)


def test_colours_show_what_was_counted(opened, chromium):
    one = opened()
    regions = oracle.smaps(one.pid)
    seen = set()
    for mode in ("kind", "perms", "residence", "bytes", "entropy"):
        chromium.click(selector=f"#modes [data-name={mode}]")
        seen.add(str(chromium.evaluate(script=PIXELS)))
        legend = chromium.evaluate(script=LEGEND)
        if mode == "residence":
            assert legend["in memory"] == sum(region.numbers["Rss"] for region in regions)
        if mode == "kind":
            assert legend["heap"] == next(region for region in regions if region.path == b"[heap]").numbers["Rss"]
    assert len(seen) == 5, "each mode is another picture"
    account = chromium.evaluate(script="""[...document.querySelectorAll("#account-legend [data-bytes]")]
        .map((item) => Number(item.dataset.bytes))""")
    assert sum(account) == sum(region.size for region in regions)


@pytest.fixture
def many(pidmem, tmp_path):
    """A page of more content than there are squares."""
    make_many(tmp_path / "many.mem", 40000)
    assert pidmem("report", "-o", tmp_path / "many.html", tmp_path / "many.mem").code == 0
    return tmp_path / "many.html"


def test_squares_of_several_regions(many, chromium):
    """Each of them can be found, and the sums are those of the regions."""
    chromium.open(path=many)
    page = Page(many)
    address = page.regions[1]["start"]
    assert page.cells[0]["region"] == 0 and page.cells[0]["start"] + page.data["cells"]["size"] > address
    before = chromium.evaluate(script=PIXELS)
    chromium.fill(selector="#filter", text=f"{address:#x}")
    chromium.click(selector="#table-body tr[data-region]")
    assert chromium.text("#cell-address") == f"{address:#x}" and f"{address:#x} - {address + PAGE:#x}" in chromium.text("#details")
    assert "2 regions" in chromium.text("#details") and "r--p" in chromium.text("#details")
    assert chromium.evaluate(script="document.querySelector('[data-copy]').dataset.copy").endswith(f" {address:#x} 256")
    assert chromium.evaluate(script=PIXELS) != before
    chromium.click(selector="#modes [data-name=perms]")
    half = page.total("read") / 2
    assert chromium.evaluate(script=LEGEND) == {"r-- read only": half, "rw- written to": half}
    assert chromium.text("#sampled") is None
    chromium.click(selector="#modes [data-name=entropy]")
    assert f"one block of 4 KiB in {page.data['cells']['size'] // PAGE}" in chromium.text("#sampled")
    is_silent(chromium)


def test_what_is_not_compared_is_not_called_unchanged(pidmem, victim, tmp_path, chromium):
    one = victim("plain")
    one.stop()
    assert pidmem("dump", "-R", "!file", "-o", tmp_path / "before", one.pid).code == 0
    assert pidmem("report", "-o", tmp_path / "page.html", tmp_path / "before", one.pid).code == 0
    chromium.open(path=tmp_path / "page.html")
    assert chromium.evaluate(script=LEGEND)["not compared"] == Page(tmp_path / "page.html").total("uncompared") > 0
    assert chromium.evaluate(script=PIXELS).get("195,201,209,255", 0) > 100  # BLANK of colours.js
    assert "not compared" in chromium.text("#account-notes")
    is_silent(chromium)


def test_of_a_file_the_time_is_not_that_of_the_process(opened, pidmem, tmp_path, chromium):
    one = opened()
    assert "page made" not in chromium.text("#made")
    assert pidmem("core", "-o", tmp_path / "core", one.pid).code == 0
    os.utime(tmp_path / "core", (1e9, 1e9))
    assert pidmem("report", "-o", tmp_path / "core.html", tmp_path / "core").code == 0
    chromium.open(path=tmp_path / "core.html")
    assert "page made" in chromium.text("#made") and "2001-09-0" in chromium.text("#facts")


def test_changed(pidmem, victim, tmp_path, chromium):
    one = victim("plain")
    one.stop()
    assert pidmem("dump", "-o", tmp_path / "before", one.pid).code == 0
    assert pidmem("report", "-o", tmp_path / "page.html", tmp_path / "before", one.pid).code == 0
    chromium.open(path=tmp_path / "page.html")
    assert chromium.evaluate(script="document.querySelector('#modes [aria-checked=true]').dataset.name") == "changed"
    assert chromium.evaluate(script=LEGEND)["changed"] == Page(tmp_path / "page.html").total("changed")
    assert "before" in chromium.text("#facts")
    is_silent(chromium)


def test_keys_alone(opened, chromium):
    opened()
    chromium.focus(selector="#modes [aria-checked=true]")
    chromium.press(key="ArrowRight")
    assert chromium.evaluate(script="document.querySelector('#modes [aria-checked=true]').dataset.name") == "perms"
    for _ in range(4):  # three buttons of the zoom, then the map
        chromium.press(key="Tab")
    assert chromium.evaluate(script="document.activeElement.id") == "map"
    places = []
    for key in ("Home", "PageDown", "ArrowRight", "End"):
        chromium.press(key=key)
        places.append(chromium.text("#cell-address"))
        assert places[-1] in chromium.text("#spoken")
    assert len(set(places)) >= 3
    chromium.press(key="Enter")
    assert len(chromium.evaluate(script=SELECTED)) == 1
    before = chromium.evaluate(script=PIXELS)
    chromium.press(key="+")
    assert chromium.evaluate(script=PIXELS) != before
    chromium.press(key="0")
    chromium.click(selector="th[data-field=size] button")
    assert chromium.evaluate(script="document.querySelector('th[data-field=size]').getAttribute('aria-sort')") == "descending"
    chromium.focus(selector="#table-body tr[tabindex='0']")
    chromium.press(key="Home")
    chromium.press(key="ArrowDown")
    chromium.press(key="Enter")
    assert chromium.evaluate(script=SELECTED) == chromium.evaluate(
        script="[document.querySelectorAll('#table-body tr[data-region]')[1].cells[0].textContent]")


def test_the_square_stays_in_sight(opened, chromium):
    """Whoever zooms by keys, or chooses a row."""
    one = opened()
    chromium.focus(selector="#map")
    chromium.press(key="Home")
    first = chromium.text("#cell-address")
    for _ in range(4):
        chromium.press(key="+")
    assert chromium.seek(address=first)
    assert not chromium.seek(address=f"{one.bytes:#x}"), "it is zoomed"
    chromium.fill(selector="#filter", text=f"{one.bytes:#x}")
    chromium.click(selector="#table-body tr[data-region]")
    assert chromium.seek(address=f"{one.bytes:#x}")


def test_wheel_and_touch(opened, chromium):
    opened(touch=True)
    chromium.focus(selector="#map")
    scrolled = chromium.evaluate(script="window.scrollY")
    chromium.mouse(x=100, y=100, wheel=-300)
    chromium.evaluate(script=FRAMES)
    assert chromium.evaluate(script="document.getElementById('map').classList.contains('near')")
    assert chromium.evaluate(script="window.scrollY") == scrolled
    chromium.click(selector="#zoom-reset")
    assert not chromium.evaluate(script="document.getElementById('map').classList.contains('near')")
    chromium.pinch()
    assert chromium.evaluate(script="document.getElementById('map').classList.contains('near')")
    chromium.click(selector="#zoom-reset")
    chromium.tap(x=60, y=60)
    assert len(chromium.evaluate(script=SELECTED)) == 1


def test_dark_and_light(opened, chromium, tmp_path):
    ground = "getComputedStyle(document.body).backgroundColor"
    opened(dark=True)
    dark = chromium.evaluate(script=ground)
    keep(chromium, tmp_path, "dark")
    chromium.click(selector="#theme")
    assert chromium.evaluate(script=ground) != dark
    for scheme in ("light", "dark"):  # a change is noticed with the next frame
        chromium.media(options={"colorScheme": scheme})
        chromium.evaluate(script=FRAMES)
    assert chromium.evaluate(script=ground) == dark


@pytest.mark.parametrize("width", [320, 400, 640, 1280])
def test_nothing_runs_over_the_edge(opened, chromium, width, tmp_path):
    """640: a window of 1280 at 200 % zoom."""
    opened(width=width)
    assert chromium.evaluate(script="document.documentElement.scrollWidth") <= width
    if width == 400:
        keep(chromium, tmp_path, "narrow")


def test_everything_has_a_name(opened, chromium):
    opened()
    nameless = chromium.evaluate(script="""[...document.querySelectorAll("button, input, canvas, table[id], [role=img]")].filter((element) =>
        !((element.tagName !== "TABLE" && element.textContent.trim()) || element.getAttribute("aria-label") || element.getAttribute("aria-labelledby") || element.closest("label"))).map((element) => element.outerHTML)""")
    assert nameless == []


# Of all texts in the boxes of the treemap and in the ladder, the least ratio (WCAG 2 wants 4.5).
CONTRAST = """(() => {
    const light = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map((value) => value / 255)
        .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
        .reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0);
    const under = (element) => getComputedStyle(element).backgroundColor.match(/^rgba.*, 0\\)/) ? under(element.parentElement) : getComputedStyle(element).backgroundColor;
    const seen = (element) => element ? getComputedStyle(element).opacity * seen(element.parentElement) : 1;
    return Math.min(...[...document.querySelectorAll(".tree span, .ladder .label span, .ladder .address")].map((element) => {
        const [one, other] = [getComputedStyle(element).color, under(element)].map(light).sort((a, b) => b - a);
        return seen(element) * (one + 0.05) / (other + 0.05);
    }));
})()"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_what_stands_back_can_be_read(opened, chromium, dark):
    opened(dark=dark)
    assert chromium.evaluate(script=CONTRAST) >= 4.5
    chromium.click(selector="#table-body tr[data-region]")
    assert chromium.evaluate(script="document.querySelectorAll('.tree .dim, .ladder .dim').length") > 2
    assert chromium.evaluate(script=CONTRAST) >= 4.5


def test_paper_says_what_is_not_on_it(many, chromium):
    chromium.open(path=many, dark=True)
    chromium.media(options={"media": "print"})
    chromium.evaluate(script="window.dispatchEvent(new Event('beforeprint'))")
    assert "the first 1000 are printed" in chromium.text("#table-count")
    assert chromium.evaluate(script="document.documentElement.dataset.theme") == "light"
    assert chromium.evaluate(script="getComputedStyle(document.querySelector('.notice')).backgroundColor") == "rgb(255, 255, 255)"
    chromium.evaluate(script="window.dispatchEvent(new Event('afterprint'))")
    assert "printed" not in chromium.text("#table-count")
    assert chromium.evaluate(script="document.documentElement.dataset.theme") == "dark"


def test_paper_shows_all_rows(opened, chromium):
    one = opened()
    chromium.media(options={"media": "print"})
    chromium.evaluate(script="window.dispatchEvent(new Event('beforeprint'))")
    rows = chromium.evaluate(script="document.querySelectorAll('#table-body tr[data-region]').length")
    assert rows == len(oracle.smaps(one.pid))
    chromium.media(options={"media": "screen"})


def test_no_bytes(opened, chromium):
    one = opened("--no-bytes")
    assert "no bytes" in chromium.text("#notice")
    chromium.fill(selector="#filter", text=f"{one.bytes:#x}")
    chromium.click(selector="#table-body tr[data-region]")
    assert chromium.text("#sample") is None and "--no-bytes" in chromium.text("#details")


def test_with_bytes_it_says_so(opened, chromium):
    opened()
    assert "contains bytes" in chromium.text("#notice")


def test_hostile_content_changes_nothing(pidmem, victim, tmp_path, chromium):
    path = os.fsencode(tmp_path) + b"/" + MARKUP
    os.makedirs(os.path.dirname(path))
    with open(path, "wb") as file:
        file.write((MARKUP + b"<img src=x onerror=alert(2)>") * (PAGE // 64))
    binary = os.fsencode(tmp_path) + b"/<img src=x>"
    shutil.copy(TARGETS / "mapfiles", binary)
    one = victim("mapfiles", path, binary=binary)
    assert pidmem("report", "-o", tmp_path / "page.html", one.pid).code == 0
    chromium.open(path=tmp_path / "page.html")
    assert chromium.evaluate(script="[document.scripts.length, document.images.length]") == [2, 0]
    assert chromium.text("#name") == "<img src=x>"
    chromium.fill(selector="#filter", text=f"{one.file1:#x}")
    assert MARKUP.decode() in chromium.text("#table-body")
    chromium.click(selector="#table-body tr[data-region]")
    for selector in ("#details", "#ladder"):
        assert "script>" in chromium.text(selector)
    chromium.click(selector="#measures [data-name=size]")
    assert "script>" in chromium.evaluate(script="[...document.querySelectorAll('#tree button')].map((box) => box.title).join()")
    assert chromium.evaluate(script="[document.scripts.length, document.images.length]") == [2, 0]
    is_silent(chromium)


def test_the_policy_refuses_other_code(opened, pidmem, victim, tmp_path, chromium):
    one = victim("plain")
    assert pidmem("report", "-o", tmp_path / "policy.html", one.pid).code == 0
    text = (tmp_path / "policy.html").read_text()
    (tmp_path / "policy.html").write_text(text.replace("<h1", "<script>document.title = 'taken'</script><img src=x><h1", 1))
    chromium.open(path=tmp_path / "policy.html")
    assert chromium.evaluate(script="document.title") != "taken"
    told = " ".join(chromium.problems()["problems"])
    assert re.search("script-src|inline script", told) and "img-src" in told
    opened()  # the next one is silent again
