"""A journey through the web client in a real browser, on the real service with its workers."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

ROOT = Path(__file__).parents[1]
PASSWORD = "three unrelated words"
_NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",  # CI runs as root
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def first_admin_link(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start the service as the README says; gives the link it prints."""
    environment = os.environ | {"TAGPHOTO_DATA": str(tmp_path_factory.mktemp("journey")), "TAGPHOTO_WORKERS": "1"}
    service = subprocess.Popen(
        [sys.executable, "-m", "api", "serve", "--port", "0"],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert service.stderr is not None
    found = next(filter(None, (re.search(r"http://\S+/welcome#\S+", line) for line in service.stderr)), None)
    assert found is not None, "the service printed no link"
    yield found.group()
    service.send_signal(signal.SIGINT)
    service.communicate(timeout=60)
    assert service.returncode == 0


@pytest.fixture(scope="module")
def browser_path() -> str:
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail("REQUIRE_BROWSER is set and there is no chromium")
        pytest.skip("no chromium on this machine; on Debian: apt-get install chromium")
    return path


@pytest.fixture
def page(browser_path: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        page = browser.new_page(locale="en-GB")
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        # A 401 before signing in is how the client learns that nobody is signed in.
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        yield page
        browser.close()
    assert [fault for fault in faults if "401" not in fault] == []


def test_from_the_first_link_to_the_timeline_and_back(page: Page, first_admin_link: str, tmp_path: Path) -> None:
    page.goto(first_admin_link)
    page.get_by_label("Email").fill("anna@example.org")
    page.get_by_label("Name").fill("Anna")
    page.get_by_label("Password", exact=True).first.fill(PASSWORD)
    page.locator("form button[type=submit]").click()
    # The empty timeline of her own library, and the token gone from the address.
    expect(page.get_by_role("heading", level=1, name="Anna")).to_be_visible()
    assert "#" not in page.url
    expect(page.get_by_role("main")).to_contain_text("empty")

    send_files_and_get_one_back(page, tmp_path)
    trash_and_restore(page)
    delete_for_ever(page)
    check_the_system(page)
    sign_out_and_in(page)
    expect(page.get_by_role("heading", level=1, name="Anna")).to_be_visible()
    speak_russian(page)


def send_files_and_get_one_back(page: Page, folder: Path) -> None:
    """Upload twice: what is there already is not sent again. The timeline fills by itself."""
    files = {"one.jpg": os.urandom(3_000_000), "два.heic": os.urandom(70_000), "empty.txt": b""}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    chosen = page.locator("input[type=file]").first
    uploads = page.get_by_role("region", name="Uploads")
    chosen.set_input_files([folder / name for name in files])
    expect(uploads).to_contain_text("3 files are here", timeout=60_000)
    for name in files:
        expect(tile(page, name)).to_be_visible()
    chosen.set_input_files(folder / "one.jpg")
    expect(uploads).to_contain_text("Already here", timeout=30_000)
    uploads.get_by_role("button", name="Close").click()
    for name, content in files.items():
        tile(page, name).click()
        with page.expect_download() as download:
            page.get_by_role("dialog").get_by_role("link", name="Download the original").click()
        assert hashlib.sha256(download.value.path().read_bytes()).digest() == hashlib.sha256(content).digest()
        assert download.value.suggested_filename == name
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)


def trash_and_restore(page: Page) -> None:
    choose(page, "one.jpg")
    choose(page, "empty.txt")
    page.get_by_role("button", name="To the trash").click()
    expect(tile(page, "one.jpg")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(tile(page, "one.jpg")).to_be_visible()


def delete_for_ever(page: Page) -> None:
    choose(page, "empty.txt")
    page.keyboard.press("Delete")
    expect(tile(page, "empty.txt")).to_have_count(0)
    page.get_by_role("link", name="Trash").first.click()
    choose(page, "empty.txt")
    page.get_by_role("button", name="Delete for ever").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete for ever").click()
    expect(page.get_by_role("main")).to_contain_text("The trash is empty")


def tile(page: Page, name: str) -> Locator:
    return page.get_by_role("main").get_by_role("link", name=re.compile(f"^{re.escape(name)}, "))


def choose(page: Page, name: str) -> None:
    page.get_by_role("checkbox", name=f"Select {name}").click()


def check_the_system(page: Page) -> None:
    """Start a job and see it done, without reloading: the news comes through the stream."""
    page.goto(re.sub(r"(https?://[^/]+).*", r"\1/jobs", page.url))
    page.get_by_role("button", name=re.compile("check", re.IGNORECASE)).first.click()
    expect(page.get_by_text(re.compile("done", re.IGNORECASE)).first).to_be_visible(timeout=30_000)


def sign_out_and_in(page: Page) -> None:
    page.context.clear_cookies()
    page.goto(re.sub(r"(https?://[^/]+).*", r"\1/", page.url))
    expect(page).to_have_url(re.compile("/sign-in"))
    page.get_by_label("Email").fill("anna@example.org")
    page.get_by_label("Password", exact=True).first.fill("not my password")
    page.locator("form button[type=submit]").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    page.get_by_label("Password", exact=True).first.fill(PASSWORD)
    page.locator("form button[type=submit]").click()


def speak_russian(page: Page) -> None:
    russian = page.context.browser
    assert russian is not None
    context = russian.new_context(locale="ru-RU")
    fresh = context.new_page()
    fresh.goto(re.sub(r"(https?://[^/]+).*", r"\1/sign-in", page.url))
    expect(fresh.locator("html")).to_have_attribute("lang", "ru")
    expect(fresh.get_by_role("button", name="Войти")).to_be_visible()
    context.close()
