# SPDX-License-Identifier: LGPL-2.1-or-later
"""`report`: what is in the page, that it adds up, and that nothing in it is believed to be markup."""

import base64
import hashlib
import json
import os
import re
import shutil
import stat
import subprocess

import oracle
import pytest
from conftest import PAGE, TARGETS, check_account
from page_reader import KINDS, Page, make_many

MARKUP = b"</script><script>alert(1)</script>"


def report(pidmem, path, *targets, code=0, **options):
    result = pidmem("report", "-j", "-o", path, *targets, **options)
    assert result.code == code, result
    told = result.json
    assert (told["command"], told["format"], told["output"]) == ("report", "html", str(path))
    check_account(told["account"])
    page = Page(path)
    assert page.data["account"] == told["account"]
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    return page, told


def test_everything_adds_up(pidmem, victim, tmp_path):
    one = victim("plain")
    one.stop()
    page, told = report(pidmem, tmp_path / "page.html", one.pid)
    regions = oracle.smaps(one.pid)
    assert [(region["start"], region["size"]) for region in page.regions] == [(r.start, r.size) for r in regions]
    assert page.total("read") == page.total("read", page.regions) == told["account"]["read"]
    assert page.total("zero") == page.total("zero", page.regions)
    assert page.total("rss") == page.total("rss", page.regions) == sum(region.numbers["Rss"] for region in regions)
    for mine, region in zip(page.regions, regions):
        assert mine["rss"] == region.numbers["Rss"], region
    assert told["consistency"] == page.data["consistency"] == "snapshot"
    assert page.data["pause_us"] == told["pause_us"] > 0


def test_what_is_at_an_address(pidmem, victim, tmp_path):
    one = victim("plain")
    page, _ = report(pidmem, tmp_path / "page.html", one.pid)
    assert page.data["cells"]["size"] == PAGE
    cell = page.cell(one.bytes + PAGE)  # its first 512 bytes are zero
    assert (cell["sample_start"], len(cell["sample"])) == (one.bytes + PAGE + 512, 32)
    with oracle.Memory(one.pid) as memory:
        assert cell["sample"] == memory.page(one.bytes + PAGE)[512:544]
    assert cell["read"] == cell["rss"] == PAGE
    assert KINDS[page.regions[cell["region"]]["kind"]] == "anon"


def test_no_bytes(pidmem, victim, tmp_path):
    one = victim("plain")
    page, _ = report(pidmem, tmp_path / "with.html", one.pid)
    assert any(b"0001:0000" in cell["sample"] for cell in page.cells)
    page, _ = report(pidmem, tmp_path / "without.html", "--no-bytes", one.pid)
    assert page.data["bytes"] is False and not {"sample", "sample_start", "sample_size"} & page.data["cells"].keys()


def test_files(pidmem, victim, tmp_path):
    one = victim("plain")
    one.stop()
    live, _ = report(pidmem, tmp_path / "live.html", one.pid)
    for name, args in (("core", ["core"]), ("core.zst", None), ("mem", ["dump"])):
        if args:
            assert pidmem(*args, "-o", tmp_path / name, one.pid).code == 0
        else:
            subprocess.run(["zstd", "-q", tmp_path / "core", "-o", tmp_path / name], check=True)
        page, _ = report(pidmem, tmp_path / f"{name}.html", tmp_path / name)
        assert [(r["start"], r["name"]) for r in page.regions] == [(r["start"], r["name"]) for r in live.regions]
        assert page.cell(one.bytes)["sample"] == live.cell(one.bytes)["sample"]
        assert "written" in page.data and "written" not in live.data
        assert page.data["regions"]["residence"] == (name != "mem") and not page.data["cells"]["residence"]


def test_what_changed(pidmem, victim, tmp_path):
    one = victim("plain")
    one.stop()
    assert pidmem("dump", "-o", tmp_path / "one.mem", one.pid).code == 0
    page, _ = report(pidmem, tmp_path / "same.html", tmp_path / "one.mem", tmp_path / "one.mem")
    assert page.total("changed") == page.total("changed", page.regions) == 0
    for end in ("", ".index"):
        shutil.copy(tmp_path / f"one.mem{end}", tmp_path / f"two.mem{end}")
    index = [json.loads(line) for line in (tmp_path / "one.mem.index").read_text().splitlines()]
    entry = next(entry for entry in index if int(entry["start"], 16) <= one.bytes < int(entry["end"], 16) and "offset" in entry)
    with open(tmp_path / "two.mem", "r+b") as file:
        file.seek(entry["offset"] + one.bytes - int(entry["start"], 16) + 3 * PAGE - 2)
        old = file.read(7)
        file.seek(-7, os.SEEK_CUR)
        file.write(bytes(byte ^ 255 for byte in old))
    page, _ = report(pidmem, tmp_path / "other.html", tmp_path / "one.mem", tmp_path / "two.mem")
    assert {cell["start"]: cell["changed"] for cell in page.cells if cell["changed"]} == \
        {one.bytes + 2 * PAGE: 2, one.bytes + 3 * PAGE: 5}
    assert page.data["before"]["gone"] == 0
    assert not any(region["marks"] & 2 for region in page.regions)
    # The kernel itself may write into the area of rseq(2) when threads go on.
    page, _ = report(pidmem, tmp_path / "live.html", "--consistency=live", tmp_path / "one.mem", one.pid)
    assert page.total("changed") < 64


def test_what_came_and_went(pidmem, victim, tmp_path):
    one = victim("plain")
    assert pidmem("dump", "-o", tmp_path / "all.mem", one.pid).code == 0
    assert pidmem("dump", "-R", "!anon", "-o", tmp_path / "some.mem", one.pid).code == 0
    (tmp_path / "some.mem.index").write_text("".join(
        line + "\n" for line in (tmp_path / "some.mem.index").read_text().splitlines() if '"filter"' not in line))
    page, _ = report(pidmem, tmp_path / "came.html", tmp_path / "some.mem", tmp_path / "all.mem")
    new = [region for region in page.regions if region["marks"] & 2]
    assert new and {KINDS[region["kind"]] for region in new} == {"anon"}
    assert all(region["changed"] == region["read"] for region in new)
    page, _ = report(pidmem, tmp_path / "went.html", tmp_path / "all.mem", tmp_path / "some.mem")
    assert page.data["before"]["gone"] == len(new)


def test_what_the_other_one_lacks_is_not_compared(pidmem, victim, tmp_path):
    one = victim("plain")
    one.stop()
    assert pidmem("dump", "-R", "!file", "-o", tmp_path / "some.mem", one.pid).code == 0
    assert pidmem("dump", "-o", tmp_path / "all.mem", one.pid).code == 0
    page, _ = report(pidmem, tmp_path / "page.html", tmp_path / "some.mem", tmp_path / "all.mem")
    for cell in page.cells:
        of_file = KINDS[page.regions[cell["region"]]["kind"]] == "file"
        assert cell["uncompared"] == (cell["read"] if of_file else 0), cell
        assert not (of_file and cell["changed"])
    assert page.total("uncompared") > 0


def test_classes_and_entropy(pidmem, tmp_path):
    """A dump made for it: zeros, text, random bytes, pointers, a page each."""
    pages = [b"\0" * 4095 + b"\1", (b"All work and no play. " * 200)[:PAGE], hashlib.shake_128(b"seed").digest(PAGE),
             (0x10000).to_bytes(8, "little") * 512]
    (tmp_path / "made.mem").write_bytes(b"".join(pages))
    (tmp_path / "made.mem.index").write_text(json.dumps({
        "pidmem": 1, "command": "dump", "start": "0x10000", "end": "0x14000", "offset": 0, "perms": "rw-p", "path": ""}) + "\n")
    page, _ = report(pidmem, tmp_path / "page.html", tmp_path / "made.mem")
    zero, text, noise, pointers = page.cells
    assert zero["zeros"] == 254 and zero["entropy"] == 0
    assert text["text"] == 255 and 90 < text["entropy"] < 130
    assert 110 < noise["high"] < 145 and noise["entropy"] > 250
    assert pointers["pointers"] == 255 and zero["pointers"] == text["pointers"] == 0


def test_markup_in_names_and_memory(pidmem, victim, tmp_path):
    path = os.fsencode(tmp_path) + b"/" + MARKUP
    os.makedirs(os.path.dirname(path))
    with open(path, "wb") as file:
        file.write(MARKUP * (PAGE // len(MARKUP)))
    binary = os.fsencode(tmp_path) + b"/<img src=x>"
    shutil.copy(TARGETS / "mapfiles", binary)
    one = victim("mapfiles", path, binary=binary)
    plain, _ = report(pidmem, tmp_path / "plain.html", victim("plain").pid)
    page, _ = report(pidmem, tmp_path / "page.html", one.pid)
    assert any(region["name"].endswith(MARKUP.decode()) for region in page.regions)
    assert page.cell(one.file1)["sample"] == MARKUP[:32]
    before = page.text.index('id="data">') + len('id="data">')
    assert "<" not in page.text[before:page.text.index("</script>", before)]
    assert re.sub(r'(id="data">).*?(</script>)', r"\1\2", page.text, flags=re.S) == \
        re.sub(r'(id="data">).*?(</script>)', r"\1\2", plain.text, flags=re.S), "all pages are the same but for their data"


def test_only_its_own_code_is_allowed(pidmem, victim, tmp_path):
    page, _ = report(pidmem, tmp_path / "page.html", victim("plain").pid)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page.text)[1]
    style, script = (re.search(rf"<{tag}>(.*?)</{tag}>", page.text, re.S)[1] for tag in ("style", "script"))
    hashes = ["sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (script, style)]
    assert policy == f"default-src 'none'; script-src '{hashes[0]}'; style-src '{hashes[1]}'; base-uri 'none'; form-action 'none'"
    assert not re.search(r'\b(?:src|href)="(?!#)', page.text) and "://" not in script + style
    assert not re.search(r'\bstyle="|\bon\w+="', page.text), "would be refused"


def test_size_has_a_limit(pidmem, tmp_path):
    """65,000 regions, each with a long name of its own that has to be escaped, and more content than there are cells."""
    count = make_many(tmp_path / "many.mem", path="/" + "<&\\" * 150)
    page, told = report(pidmem, tmp_path / "page.html", tmp_path / "many.mem", tmp_path / "many.mem")
    assert told["size"]["apparent"] == len(page.text.encode()) <= 10 << 20
    assert len(page.regions) == count and 1024 <= len(page.cells) <= 32768
    assert page.total("read") == count * PAGE
    # Of larger cells not all is looked at, but something of each.
    assert page.data["cells"]["size"] > PAGE and min(cell["entropy"] for cell in page.cells) > 200
    assert max(cell["entropy"] for cell in page.cells) < 255


@pytest.mark.parametrize("args,words", [(["-o", "-"], "standard output"), (["-o", ""], "empty"), ([], "already")],
                         ids=["stream", "empty", "exists"])
def test_refuses(pidmem, victim, tmp_path, args, words):
    one = victim("plain")
    (tmp_path / f"{one.pid}.html").write_bytes(b"mine")
    assert words in pidmem.fails("report", *args, one.pid, cwd=tmp_path).err
    assert os.listdir(tmp_path) == [f"{one.pid}.html"] and (tmp_path / f"{one.pid}.html").read_bytes() == b"mine"


def test_default_name_and_force(pidmem, victim, tmp_path):
    one = victim("plain")
    for args in ([], ["--force"]):
        result = pidmem("report", *args, one.pid, cwd=tmp_path)
        assert result.code == 0 and result.text.startswith(f"{one.pid}.html: "), result
    assert os.listdir(tmp_path) == [f"{one.pid}.html"]
    assert pidmem("dump", "-o", tmp_path / "mem", one.pid).code == 0
    assert "-o FILE" in pidmem.fails("report", tmp_path / "mem", cwd=tmp_path).err


def test_a_report_that_cannot_be_told_leaves_no_page(pidmem, victim, tmp_path):
    with open("/dev/full", "wb") as full:
        result = pidmem("report", "-o", tmp_path / "page.html", victim("plain").pid, stdout=full)
    assert result.code == 2 and os.listdir(tmp_path) == []
