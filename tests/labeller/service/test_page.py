"""The page gives the command's labels, says what is wrong with a bad file, and works by keyboard and on a telephone."""
import base64
import csv
import io
import subprocess
import sys

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from tests.browser import needs_chromium, severe
from tests.conftest import ROOT
from tests.labeller.service.served import served

pytestmark = needs_chromium
DROP = """
const [bytes, name, type, how] = arguments;
const data = new DataTransfer();
data.items.add(new File([Uint8Array.from(atob(bytes), c => c.charCodeAt(0))], name, {type}));
if (how === "drop") document.getElementById("drop").dispatchEvent(
  new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true}));
else document.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true}));
"""
READ = {"incorrect": "worn wrongly", "bare": "not worn", "under30": "under 30", "30to59": "30 to 59", "60plus": "60 and over"}
SAVED = """
const done = arguments[0];
const make = URL.createObjectURL;
URL.createObjectURL = (blob) => { blob.text().then(done); return make(blob); };
document.getElementById("save").click();
"""


@pytest.fixture(scope="module")
def folder(exported):
    return exported.root / "bundle/model"


@pytest.fixture(scope="module")
def files(exported) -> list:
    return sorted((exported.root / "data/sample/eval/images").iterdir())


@pytest.fixture(scope="module")
def url(folder):
    with served(folder) as (_, url):
        yield url


@pytest.fixture
def page(browser, url):
    browser.get(url)
    WebDriverWait(browser, 20).until(lambda page: "macro F1" in page.find_element(By.ID, "origin").text)
    return browser


def give(page, file, how="drop") -> None:
    """Drop or paste a file."""
    page.execute_script(DROP, base64.b64encode(file.read_bytes()).decode(), file.name, "image/jpeg", how)


def cards(page, count: int) -> list:
    """The photos on the page, the newest first, once each has its answer."""
    def done(page):
        found = page.find_elements(By.CSS_SELECTOR, ".card")
        told = [card.find_element(By.CSS_SELECTOR, ".message").text for card in found]
        return found if len(found) == count and not any(words.endswith("…") for words in told) else None
    return WebDriverWait(page, 30).until(done)


def commands_table(folder, *words) -> list[dict]:
    """What the command `label` says of files."""
    out = subprocess.run([sys.executable, "-m", "labeller", "--bundle", str(folder), "--csv", "--all-faces", *map(str, words)],
                         check=False, cwd=ROOT, capture_output=True, text=True).stdout
    return list(csv.DictReader(io.StringIO(out)))


@pytest.mark.parametrize("how", ["drop", "paste"])
def test_a_photo_that_is_dropped_or_pasted_gets_the_commands_labels(page, folder, files, how):
    give(page, files[0], how)
    [card] = cards(page, 1)
    [wanted] = commands_table(folder, files[0])
    labels = [value.text.split("\n")[0] for value in card.find_elements(By.CSS_SELECTOR, ".value.label")]
    assert labels == [READ.get(wanted[attribute], wanted[attribute]) for attribute in ("mask", "gender", "age")]
    assert card.find_element(By.TAG_NAME, "canvas").size["width"] > 100
    assert severe(page) == []


def test_the_saved_table_is_the_commands(page, folder, files):
    for file in files[:3]:
        give(page, file)
    cards(page, 3)
    saved = list(csv.DictReader(io.StringIO(page.execute_async_script(SAVED))))
    wanted = [row | {"photo": row["photo"].rsplit("/", 1)[1]} for row in commands_table(folder, *files[:3])]
    assert saved == wanted


def test_no_name_of_a_photo_runs_in_a_spreadsheet_or_on_the_page(page, files, tmp_path):
    names = ["=cmd|' calc'!A0.jpg", "@a.jpg", "<img src=x onerror='document.title = 1'>.jpg"]
    for name in names:
        (tmp_path / name).write_bytes(files[0].read_bytes())
        give(page, tmp_path / name)
    cards(page, 3)
    saved = list(csv.DictReader(io.StringIO(page.execute_async_script(SAVED))))
    assert [row["photo"] for row in saved] == [f"'{names[0]}", f"'{names[1]}", names[2]]
    assert page.title != "1"
    assert severe(page) == []


def test_a_bad_file_gets_a_readable_message_and_the_others_their_labels(page, files, tmp_path):
    (tmp_path / "notes.jpg").write_text("no photo")
    give(page, tmp_path / "notes.jpg")
    give(page, files[0])
    good, bad = cards(page, 2)
    assert bad.find_element(By.CSS_SELECTOR, ".message").text == "No labels: not an image."
    assert good.find_elements(By.CSS_SELECTOR, ".face")
    assert page.find_element(By.ID, "status").text == "2 photos, 1 face, 1 not labelled"


def test_all_works_by_keyboard(page, files):
    page.find_element(By.ID, "files").send_keys(str(files[0]))  # as a file dialog does
    [card] = cards(page, 1)
    seen = []
    for _ in range(9):
        ActionChains(page).send_keys(Keys.TAB).perform()
        at = page.switch_to.active_element
        seen.append(at.get_attribute("id") or at.get_attribute("class").split()[0])
        if seen[-1] == "face":
            break
    assert seen == ["files", "camera", "save", "clear", "remove", "face"]
    assert "chosen" in card.find_element(By.CSS_SELECTOR, ".face").get_attribute("class")
    assert card.find_element(By.CSS_SELECTOR, ".face").get_attribute("aria-label").startswith("Face 1: ")
    ActionChains(page).key_down(Keys.SHIFT).send_keys(Keys.TAB).key_up(Keys.SHIFT).send_keys(Keys.ENTER).perform()
    assert page.find_elements(By.CSS_SELECTOR, ".card") == []  # the button removed it
    assert page.switch_to.active_element.get_attribute("id") == "files"


def test_a_photo_from_the_camera_is_labelled(page):
    page.find_element(By.ID, "camera").send_keys(Keys.ENTER)
    WebDriverWait(page, 20).until(lambda page: page.switch_to.active_element.get_attribute("id") == "shoot")
    page.switch_to.active_element.send_keys(Keys.ENTER)
    [card] = cards(page, 1)
    assert card.find_element(By.CSS_SELECTOR, ".message").text == "No face found."  # it shows a pattern
    ActionChains(page).send_keys(Keys.ESCAPE).perform()
    assert not page.find_element(By.ID, "viewfinder").is_displayed()


def test_it_fits_a_telephone_in_light_and_in_dark(page, files):
    give(page, files[0])
    cards(page, 1)
    colours = set()
    for scheme in ("light", "dark"):
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                             {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": True})
        wide, high = page.execute_script("return [document.documentElement.scrollWidth, innerWidth]")
        assert wide <= high == 400
        assert page.find_element(By.TAG_NAME, "canvas").size["width"] > 300  # above the bars, not beside them
        colours.add(page.execute_script("return getComputedStyle(document.documentElement).backgroundColor"))
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert len(colours) == 2


def test_it_says_what_it_is_not_for_before_anything_is_labelled(page):
    assert "Not for decisions about people." in page.find_element(By.TAG_NAME, "footer").text
