"""The page opens in a real browser, by itself, and does what it offers; needs Debian's chromium and chromium-driver."""
import re

import pandas as pd
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from stages import report
from stages.core.classes import CONTEST
from stages.reporting import gallery
from tests.browser import needs_chromium, severe

FIRST = 12  # cards shown before "show all" is pressed
LAID_OUT = """
const inside = (a, b) => a.left > b.left - 4 && a.right < b.right + 4;  // and wider
const apart = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) < 1
  || Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) < 3;  // a line of text is higher than its letters
const bad = [];
for (const svg of document.querySelectorAll("figure svg")) {
  const edge = svg.closest(".wide") ? svg.getBoundingClientRect() : svg.closest("figure").getBoundingClientRect();
  const texts = [...svg.querySelectorAll("text")].map(text => [text.textContent, text.getBoundingClientRect()]);
  texts.forEach(([name, box], i) => {
    if (!inside(box, edge)) bad.push(`${name} is cut off`);
    for (const [other, its] of texts.slice(i + 1)) if (!apart(box, its)) bad.push(`${name} lies on ${other}`);
  });
}
const right = Math.max(...[...document.querySelectorAll("figure, .card, .score, form, p")].map(
  part => part.getBoundingClientRect().right));
const {scrollWidth, clientWidth} = document.documentElement;
return [innerWidth, scrollWidth - clientWidth, clientWidth - right, bad];
"""  # width, what is to be scrolled sideways, what is free right of all parts, and labels of charts that cannot be read

@pytest.fixture
def page(browser, ran):
    """The page of the tiny project, open."""
    browser.get((ran.root / "reports/index.html").as_uri())
    return browser


@pytest.fixture
def again(ran, tmp_path, monkeypatch):
    """A copy of the tiny project as the working folder, whose page report.main() writes anew."""
    project = ran.copy(tmp_path / "own")
    monkeypatch.chdir(project.root)
    return project.root / "reports/index.html"


def show_all(page) -> None:
    if (more := page.find_element(By.ID, "more")).is_displayed():
        more.send_keys(Keys.ENTER)


def shown(page) -> list:
    return [card for card in page.find_elements(By.CLASS_NAME, "card") if card.is_displayed()]


@needs_chromium
def test_nothing_goes_wrong_and_every_picture_loads(page):
    assert severe(page) == []
    loaded = page.execute_script("return [...document.images].map(image => image.complete && image.naturalWidth > 0)")
    assert loaded
    assert all(loaded)
    assert len(page.find_elements(By.CSS_SELECTOR, "figure svg")) > 10


@needs_chromium
def test_the_filter_filters_and_counts(page):
    show_all(page)
    everything = len(shown(page))
    for box in ("true", "given", "attribute"):
        value = shown(page)[0].get_attribute(f"data-{box}")
        Select(page.find_element(By.ID, box)).select_by_visible_text(value)
        assert {card.get_attribute(f"data-{box}") for card in shown(page)} == {value}
        assert page.find_element(By.ID, "shown").text == f"{len(shown(page))} of {everything} shown"
        Select(page.find_element(By.ID, box)).select_by_index(0)
    assert len(shown(page)) == everything


@needs_chromium
def test_the_order_orders(page):
    def values(key):
        return [float(card.get_attribute(f"data-{key}")) for card in shown(page)]

    assert values("confidence") == sorted(values("confidence"), reverse=True)
    Select(page.find_element(By.ID, "order")).select_by_value("years")
    assert values("years") == sorted(values("years"))
    Select(page.find_element(By.ID, "order")).select_by_value("confidence")


@needs_chromium
def test_the_surest_mistakes_are_shown_first_and_all_at_the_press_of_a_button(page):
    everything = page.find_elements(By.CLASS_NAME, "card")
    assert len(everything) > FIRST
    assert [card.get_attribute("data-confidence") for card in shown(page)] == [
        card.get_attribute("data-confidence") for card in everything[:FIRST]]
    page.find_element(By.ID, "more").send_keys(Keys.ENTER)
    assert shown(page) == everything
    assert page.switch_to.active_element == everything[FIRST]
    assert not page.find_element(By.ID, "more").is_displayed()


@needs_chromium
def test_clear_takes_the_filter_back(page):
    before = len(shown(page))
    Select(page.find_element(By.ID, "attribute")).select_by_index(1)
    Select(page.find_element(By.ID, "order")).select_by_value("years")
    page.find_element(By.CSS_SELECTOR, "form button").send_keys(Keys.ENTER)
    WebDriverWait(page, 5).until(lambda page: len(shown(page)) == before)
    assert page.find_element(By.ID, "order").get_attribute("value") == "confidence"


@needs_chromium
@pytest.mark.parametrize("width", [1280, 800, 400])
def test_the_page_fits_the_screen_and_every_chart_can_be_read(page, width):
    show_all(page)
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 700}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    inner, hidden, free, bad = page.execute_script(LAID_OUT)
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert (inner, hidden) == (width, 0)
    assert free >= 0
    assert bad == []


@needs_chromium
def test_the_page_is_dark_where_the_reader_wants_it(page):
    def lightness():
        colors = page.execute_script("""return [document.body, document.querySelector("figure svg text")].map(
            (part, i) => getComputedStyle(part)[i ? "fill" : "backgroundColor"])""")
        return [sum(map(int, re.findall(r"\d+", color)[:3])) / 3 for color in colors]

    for scheme, dark in (("light", False), ("dark", True)):
        page.execute_cdp_cmd("Emulation.setEmulatedMedia",
                             {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        back, ink = lightness()
        assert (ink > back + 100) if dark else (back > ink + 100)
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


@needs_chromium
def test_the_keyboard_reaches_the_filter_and_the_cards(page):
    box = page.find_element(By.ID, "attribute")
    box.send_keys(Keys.ARROW_DOWN)
    assert len({card.get_attribute("data-attribute") for card in shown(page)}) <= 1
    box.send_keys(Keys.HOME)
    page.find_element(By.ID, "order").send_keys(Keys.TAB)
    assert page.switch_to.active_element.get_attribute("type") == "reset"
    page.switch_to.active_element.send_keys(Keys.TAB)
    assert page.switch_to.active_element.get_attribute("class") == "card"
    assert page.switch_to.active_element.value_of_css_property("outline-style") == "solid"


def test_the_page_asks_for_no_other_file(ran):
    text = (ran.root / "reports/index.html").read_text()
    addresses = re.findall(r"(?:src|href)=\"(?!data:|#)([^\"]*)\"", text)
    assert addresses == []
    assert "url(http" not in text
    assert "@import" not in text


def test_the_page_says_what_the_metrics_say_and_shows_every_mistake(ran):
    text = (ran.root / "reports/index.html").read_text()
    labels = pd.read_csv(ran.root / "reports/plots/labels.csv")
    wrong = labels[labels.class_true != labels.class_predicted]
    assert f"{len(labels)} photos of {labels.person.nunique()} held-out people" in text
    assert text.count('<li class="card"') == len(wrong)
    assert all(photo in text for photo in wrong.photo)


@needs_chromium
def test_a_table_is_sorted_by_a_click_on_its_head_and_by_the_keyboard(browser, again, monkeypatch):
    rows = [{"person": person, "score": score} for person, score in (("bea", 0.5), ("cid", 0.09), ("ann", 0.1))]
    monkeypatch.setattr(report, "suspected", lambda p, combined: rows)  # of the tiny project no label is suspected
    report.main()
    browser.get(again.as_uri())
    person, score = browser.find_elements(By.CSS_SELECTOR, ".sortable th button")

    def people():
        return [cell.text for cell in browser.find_elements(By.CSS_SELECTOR, ".sortable tbody td:first-child")]

    assert people() == ["bea", "cid", "ann"]
    score.click()
    assert people() == ["cid", "ann", "bea"]  # as numbers: .09 before .1
    score.send_keys(Keys.ENTER)
    assert people() == ["bea", "ann", "cid"]
    person.click()
    assert people() == ["ann", "bea", "cid"]


@needs_chromium
def test_no_name_is_run_or_changes_the_page(browser, again, monkeypatch):
    evil = """<script>document.title = "run"</script>'"><img src=x onerror='document.title = "run"'>&lt;b&gt;{{ 7 * 7 }}"""
    labels = pd.read_csv("reports/plots/labels.csv")
    photo = labels.photo[labels.class_true != labels.class_predicted].iloc[0]  # which has a card
    store, read = gallery.Faces, report.read_out_of_fold
    monkeypatch.setattr(report, "suspected", lambda p, combined: [dict.fromkeys(("person", "source", "photo"), evil)])
    monkeypatch.setattr(report, "read_out_of_fold", lambda *inputs: read(*inputs).assign(
        person=evil, photo=lambda scored: scored.photo.replace(photo, evil)))

    def faces(folder):
        found = store(folder)
        found.photos = [evil if name == photo else name for name in found.photos]
        return found

    monkeypatch.setattr(report, "Faces", faces)
    report.main()
    browser.get(again.as_uri())
    show_all(browser)
    assert browser.title != "run"
    assert severe(browser) == []
    assert browser.find_element(By.CSS_SELECTOR, ".sortable tbody td").text == evil
    assert [card for card in browser.find_elements(By.CLASS_NAME, "card") if evil in card.get_attribute("textContent")]


def test_the_same_inputs_make_the_same_bytes(again):
    report.main()
    first = again.read_bytes()
    report.main()
    assert again.read_bytes() == first


@needs_chromium
def test_the_page_of_a_run_without_mistakes_says_so(browser, again, monkeypatch):
    def all_right(*inputs):
        scored = read(*inputs)
        return scored.assign(**{name: scored[f"{name}_true"] for name in ("class", *CONTEST.attributes)})

    read = report.read_out_of_fold
    monkeypatch.setattr(report, "read_out_of_fold", all_right)
    report.main()
    browser.get(again.as_uri())
    assert severe(browser) == []
    assert "No photo has a wrong class." in browser.find_element(By.ID, "errors").text
    assert browser.find_elements(By.CSS_SELECTOR, ".card, form") == []


def test_the_page_says_where_no_backbone_allows_grad_cam(again, monkeypatch):
    assert "Grad-CAM is missing" not in again.read_text()
    monkeypatch.setattr(gallery, "grad_cam", lambda *inputs: None)
    report.main()
    text = again.read_text()
    assert "Grad-CAM is missing" in text
    assert "where the network looked" not in text


def test_git_never_gets_the_page_for_it_shows_faces(ran):
    assert ran.sh("git", "check-ignore", "reports/index.html").returncode == 0
