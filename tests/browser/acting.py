"""What tests of the page do again and again."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

CARDS = "ul.grid > li:not(.skeleton) button.card-main"
_DROP = """async ([name, content]) => {
  const bytes = Uint8Array.from(atob(content), (one) => one.charCodeAt(0));
  const data = new DataTransfer();
  data.items.add(new File([bytes], name, { type: "video/mp4" }));
  for (const type of ["dragenter", "dragover", "drop"])
    document.body.dispatchEvent(
      new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
}"""
_PLAYED = """(videos) => videos.length > 0
  && videos.every((video) => !video.paused && video.currentTime > 0.05)"""


# Conditions that are waited for are functions: a bare expression is evaluated at each look, which
# the page's Content-Security-Policy forbids from the second on.


def drop(page: Page, name: str, content: bytes) -> None:
    page.evaluate(_DROP, [name, base64.b64encode(content).decode()])


def open_first(page: Page) -> None:
    page.locator(CARDS).first.click()
    page.wait_for_selector(".rank")


def plays(page: Page, selector: str, count: int) -> None:
    page.wait_for_function(
        f"""(count) => {{
          const videos = [...document.querySelectorAll({selector!r})];
          return videos.length === count && ({_PLAYED})(videos);
        }}""",
        arg=count,
    )


def shown(page: Page) -> Locator:
    return page.locator(f"{CARDS}:visible")
