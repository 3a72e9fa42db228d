"""A journey with photographs: seen, liked, put into an album, shown to somebody without an account, thrown away."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import av
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.support.scenery import landscape
from tests.test_journey import FLAGS, PASSWORD, browser_path, choose, first_admin_link, tile

__all__ = ["browser_path", "first_admin_link"]
_GUESTS = "for the guests"
_MADE = 120_000
# A guest's wrong password is answered by 401, as is the question for one.
_EXPECTED = re.compile(r"\b(401|410)\b")


@pytest.fixture
def browser(browser_path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a window of somebody's own; nothing may go wrong in any of them."""
    faults: list[str] = []
    contexts: list[BrowserContext] = []

    def open_window(locale: str = "en-GB", **settings: object) -> Page:
        context = browser.new_context(locale=locale, **settings)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        return page

    yield open_window
    for context in contexts:
        context.close()
    assert [fault for fault in faults if not _EXPECTED.search(fault)] == []


def test_from_a_camera_to_somebody_elses_screen(
    visit: Callable[..., Page], first_admin_link: str, tmp_path: Path
) -> None:
    page = visit()
    sign_up(page, first_admin_link)
    photos = {
        "lake.jpg": photograph(tmp_path / "lake.jpg", datetime(2024, 5, 1, 12, 3), "steelblue"),
        "forest.jpg": photograph(tmp_path / "forest.jpg", datetime(2024, 5, 2, 9, 30), "seagreen"),
        "snow.jpg": photograph(tmp_path / "snow.jpg", datetime(2023, 1, 7, 15, 0), "lavender", size=(600, 900)),
    }
    send(page, list(photos.values()))
    look_and_like(page)
    narrow_down(page)
    tidy_up(page, tmp_path / "hills.jpg", tmp_path / "copy of the hills.jpg")
    watch_a_film(page, film(tmp_path / "waves.mp4"))
    address = put_into_an_album_and_share(page)
    show_to_a_guest(visit(), address, photograph(tmp_path / "gift.jpg", datetime(2024, 5, 3, 8, 0), "goldenrod"))
    end_the_link(page, visit(), address)
    throw_away_and_take_back(page)
    walk_in_both_languages_and_themes(visit, page, tmp_path)


def sign_up(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_label("Email").fill("anna@example.org")
    page.get_by_label("Name").fill("Anna")
    page.get_by_label("Password", exact=True).first.fill(PASSWORD)
    page.locator("form button[type=submit]").click()
    expect(page.get_by_role("heading", level=1, name="Anna")).to_be_visible()


def photograph(path: Path, taken: datetime, colour: str, size: tuple[int, int] = (1200, 800)) -> Path:
    """Make a photo as a camera would: a picture, and in its EXIF when it was taken and by what."""
    picture = Image.new("RGB", size, colour)
    draw = ImageDraw.Draw(picture)
    for step in range(0, size[0], 40):
        draw.polygon([(step, size[1]), (step + 60, size[1] // 2 + step % 170), (step + 120, size[1])], fill="black")
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Canon", "Canon EOS R6"
    exif.get_ifd(0x8769)[0x9003] = taken.strftime("%Y:%m:%d %H:%M:%S")
    picture.save(path, quality=90, exif=exif)
    return path


def film(path: Path) -> Path:
    """Make two seconds of what every browser plays."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for shade in range(0, 200, 4):
            picture = Image.new("RGB", (320, 240), (shade, 80, 120))
            frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def send(page: Page, photos: list[Path]) -> None:
    """Everything shows by itself: the tiles, their pictures, the months they belong to."""
    page.locator("input[type=file]").first.set_input_files(photos)
    uploads = page.get_by_role("region", name="Uploads")
    expect(uploads).to_contain_text(f"{len(photos)} files are here", timeout=60_000)
    expect(uploads).to_contain_text("all ready", timeout=_MADE)
    expect(page.get_by_role("heading", level=2, name="May 2024")).to_be_visible(timeout=_MADE)
    expect(page.get_by_role("heading", level=2, name="January 2023")).to_be_visible()
    for photo in photos:
        expect(tile(page, photo.name).locator("img")).to_have_class("shown", timeout=_MADE)
    uploads.get_by_role("button", name="Close").click()


def look_and_like(page: Page) -> None:
    """The photo has an address of its own; keys lead to the next one, and back to where it was opened."""
    tile(page, "lake.jpg").click()
    expect(page.get_by_role("dialog", name="lake.jpg")).to_be_visible()
    # The window is called by its photo's title, which changes below.
    viewer = page.get_by_role("dialog")
    expect(viewer.get_by_role("img", name="lake.jpg")).to_have_class(re.compile("shown"))
    expect(page).to_have_url(re.compile("/photo/"))
    page.keyboard.press("f")
    expect(viewer.get_by_role("button", name="Remove from favourites")).to_be_visible()
    page.keyboard.press("i")
    details = viewer.get_by_role("complementary", name="Details")
    expect(details).to_contain_text("Canon EOS R6")
    expect(details).to_contain_text("from the camera")
    details.get_by_label("Add a tag").fill("summer")
    details.get_by_label("Add a tag").press("Enter")
    expect(details.get_by_role("link", name="summer")).to_be_visible()
    details.get_by_label("Title").fill("The lake at noon")
    details.get_by_label("Title").press("Tab")
    expect(page.get_by_role("dialog", name="The lake at noon")).to_be_visible()
    expect(details.get_by_role("button", name="As in the file").first).to_be_visible()
    viewer.get_by_role("button", name="Details").click()
    # Older ones come after it.
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("dialog", name="snow.jpg")).to_be_visible()
    page.reload()
    expect(page.get_by_role("dialog", name="snow.jpg")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(tile(page, "snow.jpg")).to_be_focused()


def tidy_up(page: Page, original: Path, copy: Path) -> None:
    """A smaller copy is found by itself; it goes by a click, comes back by another, and is called different."""
    landscape(1, 900, 600).save(original, quality=92)
    landscape(1, 900, 600).resize((600, 400)).save(copy, quality=70)
    page.locator("input[type=file]").first.set_input_files([original, copy])
    expect(tile(page, copy.name).locator("img")).to_have_class("shown", timeout=_MADE)
    page.get_by_role("region", name="Uploads").get_by_role("button", name="Close").click()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Tidy up").click()
    group = page.get_by_role("article", name="2 pictures")
    expect(group).to_be_visible(timeout=_MADE)
    expect(group).to_contain_text("most pixels")
    group.get_by_role("button", name="Compare").click()
    compared = page.get_by_role("dialog", name="Compare")
    expect(compared.get_by_role("img", name=copy.name)).to_be_visible()
    expect(compared).to_contain_text("of 64 bits")
    compared.get_by_role("button", name="Close").click()
    group.get_by_role("button", name="Move 1 to the trash").click()
    expect(group).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(group).to_be_visible()
    group.get_by_role("button", name="They are different").click()
    expect(group).to_have_count(0)
    expect(page.get_by_role("main")).to_contain_text("No two pictures here are the same.")
    page.get_by_role("link", name="Best first").click()
    expect(page.get_by_role("main").get_by_role("listitem").first).to_contain_text("sharper than")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Photos").click()
    for photo in (original, copy):
        page.get_by_role("checkbox", name=f"Select {photo.name}").click()
    page.get_by_role("toolbar", name="Actions").get_by_role("button", name="To the trash").click()
    expect(tile(page, copy.name)).to_have_count(0)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Trash").click()
    page.get_by_role("button", name="Empty the trash").click()
    page.get_by_role("dialog").get_by_role("button", name="Empty the trash").click()
    expect(page.get_by_role("main")).to_contain_text("The trash is empty", timeout=_MADE)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Photos").click()


def watch_a_film(page: Page, path: Path) -> None:
    page.locator("input[type=file]").first.set_input_files(path)
    expect(page.get_by_role("main").get_by_text("0:02")).to_be_visible(timeout=_MADE)
    expect(tile(page, path.name).locator("img").first).to_have_class("shown", timeout=_MADE)
    tile(page, path.name).click()
    viewer = page.get_by_role("dialog", name=path.name)
    expect(viewer.locator("video")).to_be_visible(timeout=_MADE)
    viewer.locator("video").evaluate(
        "video => video.currentTime > 0 || new Promise(done => video.addEventListener('timeupdate', () => done(true)))"
    )
    # The film has its arrows for going back and forth; from anywhere else they lead on.
    viewer.press("ArrowRight")
    expect(viewer).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("region", name="Uploads").get_by_role("button", name="Close").click()


def narrow_down(page: Page) -> None:
    page.get_by_role("button", name="Favourites").click()
    expect(page).to_have_url(re.compile("favourite=true"))
    expect(tile(page, "lake.jpg")).to_be_visible()
    expect(tile(page, "forest.jpg")).to_have_count(0)
    page.get_by_role("button", name="Favourites").click()
    expect(tile(page, "forest.jpg")).to_be_visible()


def put_into_an_album_and_share(page: Page) -> str:
    choose(page, "lake.jpg")
    choose(page, "forest.jpg")
    page.get_by_role("button", name="Add to an album").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Find an album").fill("Spring")
    dialog.get_by_role("button", name="Create").click()
    expect(dialog).to_have_count(0)
    page.get_by_role("link", name="Albums").first.click()
    page.get_by_role("link", name="Spring").click()
    expect(page.get_by_role("heading", level=1, name="Spring")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("2 photos")
    expect(tile(page, "lake.jpg")).to_be_visible()
    page.get_by_role("button", name="Share").click()
    dialog.get_by_label("Whom it is for").fill("Grandparents")
    dialog.get_by_label("Guests may add photos").check()
    dialog.get_by_label("Ask for a password").check()
    dialog.get_by_label("Password", exact=True).fill(_GUESTS)
    dialog.get_by_role("button", name="Create link").click()
    address = dialog.get_by_label("Address of the link")
    expect(address).to_have_value(re.compile("/s#"))
    given = address.input_value()
    page.keyboard.press("Escape")
    return given


def show_to_a_guest(page: Page, address: str, gift: Path) -> None:
    """Without an account: only the album, the originals that the link allows, and a photo given back."""
    page.goto(address)
    page.get_by_label("Password", exact=True).fill("not the one")
    page.get_by_role("button", name="Open the album").click()
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    page.get_by_label("Password", exact=True).fill(_GUESTS)
    page.get_by_role("button", name="Open the album").click()
    expect(page.get_by_role("heading", level=1, name="Spring")).to_be_visible()
    expect(tile(page, "lake.jpg").locator("img")).to_have_class("shown")
    expect(page.get_by_role("link", name="Trash")).to_have_count(0)
    tile(page, "lake.jpg").click()
    viewer = page.get_by_role("dialog")
    expect(viewer.get_by_role("img", name="lake.jpg")).to_have_class(re.compile("shown"))
    expect(viewer.get_by_role("button", name="To the trash")).to_have_count(0)
    with page.expect_download() as download:
        viewer.get_by_role("link", name="Download the original").click()
    assert download.value.path().read_bytes() == (gift.parent / "lake.jpg").read_bytes()
    page.keyboard.press("Escape")
    page.locator("input[type=file]").first.set_input_files(gift)
    expect(page.get_by_role("region", name="Uploads")).to_contain_text("1 file is here", timeout=60_000)
    expect(tile(page, "gift.jpg")).to_be_visible(timeout=30_000)


def end_the_link(page: Page, guest: Page, address: str) -> None:
    page.get_by_role("button", name="Share").click()
    dialog = page.get_by_role("dialog").first
    dialog.get_by_role("button", name="End", exact=True).click()
    page.get_by_role("dialog", name="End this link?").get_by_role("button", name="End", exact=True).click()
    expect(dialog).to_contain_text("Nobody outside the library sees this album")
    page.keyboard.press("Escape")
    expect(tile(page, "gift.jpg")).to_be_visible(timeout=30_000)
    guest.goto(address)
    expect(guest.get_by_role("heading", level=1, name="no longer works")).to_be_visible()


def throw_away_and_take_back(page: Page) -> None:
    page.get_by_role("link", name="Photos").first.click()
    tile(page, "forest.jpg").click()
    expect(page.get_by_role("dialog", name="forest.jpg")).to_be_visible()
    page.keyboard.press("Delete")
    # The next one takes its place.
    expect(page.get_by_role("dialog", name="forest.jpg")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(tile(page, "forest.jpg")).to_have_count(0)
    page.get_by_role("link", name="Trash").first.click()
    choose(page, "forest.jpg")
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_role("main")).to_contain_text("The trash is empty")
    page.get_by_role("link", name="Photos").first.click()
    expect(tile(page, "forest.jpg")).to_be_visible()


def walk_in_both_languages_and_themes(visit: Callable[..., Page], page: Page, folder: Path) -> None:
    """Every page opens in both languages and themes, wide and on a phone. JOURNEY_SHOTS keeps the pictures."""
    shots = Path(os.environ.get("JOURNEY_SHOTS") or folder)
    state, home = page.context.storage_state(), re.sub(r"(https?://[^/]+).*", r"\1", page.url)
    walks = [("en-GB", "light", 1440, "Photos and videos"), ("ru-RU", "dark", 390, "Фото и видео")]
    for locale, theme, width, label in walks:
        window = visit(locale, storage_state=state, color_scheme=theme, viewport={"width": width, "height": 844})
        window.goto(f"{home}/")
        expect(window.get_by_role("region", name=label)).to_be_visible()
        expect(window.locator("[data-tile] img.shown").first).to_be_visible()
        # What is shown fits: nothing makes the page wider than it is.
        for name, path in {"timeline": "/", "albums": "/albums", "trash": "/trash"}.items():
            window.goto(f"{home}{path}")
            expect(window.get_by_role("heading", level=1)).to_be_visible()
            if path == "/":
                expect(window.locator("[data-tile] img.shown").first).to_be_visible()
            window.screenshot(path=shots / f"{name}-{locale}-{theme}-{width}.png")
            assert window.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is too wide"
