"""A browser for the tests of pages: Debian's chromium and chromium-driver, without a network beyond this machine."""
import contextlib
import shutil

import pytest
from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

needs_chromium = pytest.mark.skipif(not (shutil.which("chromium") and shutil.which("chromedriver")),
                                    reason="chromium and chromium-driver are not installed")
WORDS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1200,900",
         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
         "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")  # a camera that shows a pattern


BLANK, PATIENCE = "about:blank", 30  # seconds


class Browser(webdriver.Chrome):
    """Chromium whose get() ends when the new page is there; with other work on the cores it may else still show the old one."""

    def get(self, url: str) -> None:
        super().get(BLANK)
        super().get(url)
        WebDriverWait(self, PATIENCE).until(lambda _: self.execute_script(
            "return document.URL !== arguments[0] && document.readyState === 'complete'", BLANK))


@contextlib.contextmanager
def chromium():
    """A headless Chromium, closed at the end."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for word in WORDS:
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Browser(options, webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


def severe(page) -> list:
    """What the browser complains of."""
    return [entry for entry in page.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]
